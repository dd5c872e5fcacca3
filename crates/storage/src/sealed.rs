//! Texts that the installation key seals, wherever they are kept: a rotation of the key seals them anew.

use crate::db::Conn;
use crate::error::StorageError;
use crate::settings::COOKIE_KEY;
use crate::sql;
use domain::id::{ConnectionId, UserId};
use sea_orm::FromQueryResult;
use uuid::Uuid;

/// Where a sealed text is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The data key of a connection.
    DataKey(ConnectionId),
    /// The secret of a person's authenticator.
    SecondFactor(UserId),
    /// The key that signs cookies.
    CookieKey,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    sealed: String,
}

/// Every sealed text with its place.
pub async fn all(conn: &impl Conn) -> Result<Vec<(Place, String)>, StorageError> {
    let keys = "SELECT id, data_key AS sealed FROM connection WHERE data_key IS NOT NULL ORDER BY id";
    let factors = "SELECT user_id AS id, sealed FROM second_factor ORDER BY user_id";
    let keys = sql::all::<Row, _>(conn, keys, []).await?.into_iter();
    let factors = sql::all::<Row, _>(conn, factors, []).await?.into_iter();
    let cookie = crate::settings::find(conn, COOKIE_KEY).await?;
    Ok(keys
        .map(|row| (Place::DataKey(ConnectionId(row.id)), row.sealed))
        .chain(factors.map(|row| (Place::SecondFactor(UserId(row.id)), row.sealed)))
        .chain(cookie.map(|sealed| (Place::CookieKey, sealed)))
        .collect())
}

/// Puts another sealed text in place of this one: false when it is not there any more.
pub async fn replace(conn: &impl Conn, place: Place, old: &str, new: &str) -> Result<bool, StorageError> {
    let (statement, key) = match place {
        Place::DataKey(id) => (
            "UPDATE connection SET data_key = $3 WHERE id = $1 AND data_key = $2",
            id.0.into(),
        ),
        Place::SecondFactor(id) => (
            "UPDATE second_factor SET sealed = $3 WHERE user_id = $1 AND sealed = $2",
            id.0.into(),
        ),
        Place::CookieKey => (
            "UPDATE setting SET value = $3 WHERE name = $1 AND value = $2",
            COOKIE_KEY.into(),
        ),
    };
    let n_rows = sql::execute(conn, statement, [key, old.into(), new.into()]).await?;
    Ok(n_rows > 0)
}
