//! Links between records of both CRMs.

use api::link::{EditLink, Link};
use domain::id::LinkId;

use super::client::{Request, delete, put};

/// Says which records are the same thing.
pub fn edit_link(id: LinkId, form: &EditLink) -> Request<Link> {
    put(format!("/links/{id}")).json(form).answers()
}

/// Takes a link apart; the records stay.
pub fn delete_link(id: LinkId) -> Request<()> {
    delete(format!("/links/{id}")).done()
}
