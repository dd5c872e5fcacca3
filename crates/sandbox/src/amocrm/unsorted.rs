//! Incoming leads, and creation of leads with their contacts in one call.

use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Faults, Object, Reply, request_id, self_link};
use super::call::{BATCH_LIMIT, Call};
use super::draft;
use super::incoming::Parcel;
use super::model::*;

/// Most leads of one complex call.
const COMPLEX_LIMIT: usize = 50;

fn parcel(
    account: &Account,
    lead: &Object,
    embedded: Option<&Object>,
    prefix: &str,
    faults: &mut Faults,
) -> Parcel {
    let lead_prefix = if prefix.is_empty() {
        ""
    } else {
        "_embedded.leads.0."
    };
    let mut parcel = Parcel {
        lead: draft::read(
            account,
            Kind::Lead,
            &without_people(lead),
            None,
            lead_prefix,
            faults,
        ),
        ..Parcel::default()
    };
    for (key, kind) in [("contacts", Kind::Contact), ("companies", Kind::Company)] {
        let list = embedded.and_then(|e| e.get(key)).and_then(Value::as_array);
        let Some(list) = list.filter(|l| !l.is_empty()) else {
            continue;
        };
        if list.len() > 1 {
            faults.not_supported(format!("_embedded.{key}.1"));
        }
        let at = format!("_embedded.{key}.0.");
        match list[0].as_object() {
            Some(item) => {
                let draft = draft::read(account, kind, item, None, &at, faults);
                if kind == Kind::Contact {
                    parcel.contact = Some(draft)
                } else {
                    parcel.company = Some(draft)
                }
            }
            None => faults.invalid_type(at.trim_end_matches('.'), "array"),
        }
    }
    parcel
}

/// The lead's own keys: people in `_embedded` are not links here.
fn without_people(lead: &Object) -> Object {
    let mut lead = lead.clone();
    if let Some(Value::Object(embedded)) = lead.get_mut("_embedded") {
        embedded.retain(|key, _| key == "tags");
    }
    lead
}

/// `POST /api/v4/leads/complex`.
pub(crate) fn complex(call: &mut Call<'_>) -> Reply {
    if call.method != "POST" {
        return Err(Answer::not_allowed());
    }
    let items = call.items(COMPLEX_LIMIT)?;
    let mut faults = Faults::default();
    let mut parcels = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let embedded = item.get("_embedded").and_then(Value::as_object);
        for key in embedded.into_iter().flat_map(|e| e.keys()) {
            if !["contacts", "companies", "tags", "metadata", "source"].contains(&key.as_str()) {
                faults.not_supported(format!("_embedded.{key}"));
            }
        }
        let mut parcel = parcel(call.account, item, embedded, "", &mut faults);
        if let Some(metadata) = embedded.and_then(|e| e.get("metadata")).filter(|m| !m.is_null()) {
            match metadata.get("category").and_then(Value::as_str) {
                Some(category @ ("forms" | "sip")) => {
                    check_metadata(metadata, category, "_embedded.metadata.", &mut faults);
                    parcel.category = Some(category.to_owned());
                    parcel.metadata = metadata.clone();
                }
                _ => faults.not_supported("_embedded.metadata.category"),
            }
        }
        parcels.push(parcel);
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    // Duplicates are looked for among what was there before this call only.
    let known: Vec<Option<i64>> = parcels.iter().map(|p| call.account.duplicate_of(p)).collect();
    let mut out = Vec::new();
    for (index, ((item, mut parcel), known)) in items.iter().zip(parcels).zip(known).enumerate() {
        let line = call.account.open_parcel(&mut parcel, known, call.user_id, "", "");
        out.push(json!({
            "id": line.lead, "contact_id": line.contact, "company_id": line.company,
            "request_id": [request_id(item, index)], "merged": known.is_some(),
        }));
    }
    Ok(Answer::ok(Value::Array(out)))
}

fn check_metadata(metadata: &Value, category: &str, prefix: &str, faults: &mut Faults) {
    let required: &[&str] = match category {
        "forms" => &["form_id", "form_name", "form_page", "form_sent_at"],
        _ => &[
            "uniq",
            "duration",
            "service_code",
            "link",
            "phone",
            "called_at",
            "from",
        ],
    };
    for key in required
        .iter()
        .filter(|key| metadata.get(**key).is_none_or(Value::is_null))
    {
        faults.missing(format!("{prefix}{key}"));
    }
}

/// `/api/v4/leads/unsorted…`.
pub(crate) fn route(call: &mut Call<'_>, rest: &[&str]) -> Reply {
    match (call.method, rest) {
        ("GET", []) => {
            let q = &call.query;
            let (uids, categories) = (q.words(&["filter", "uid"]), q.words(&["filter", "category"]));
            let pipelines = q.ints(&["filter", "pipeline_id"]);
            let wanted = |u: &&Unsorted| {
                (uids.is_empty() || uids.contains(&u.uid.as_str()))
                    && (categories.is_empty() || categories.contains(&u.category.as_str()))
                    && (pipelines.is_empty() || pipelines.contains(&u.pipeline_id))
            };
            let mut found: Vec<&Unsorted> = call.account.unsorted.iter().filter(wanted).collect();
            if q.get(&["order", "created_at"]) == Some("desc") {
                found.reverse();
            }
            call.page("unsorted", found, false, |u| shown(call, u))
        }
        ("GET", ["summary"]) => {
            let all = &call.account.unsorted;
            let of = |category: &str| all.iter().filter(|u| u.category == category).count();
            let categories = json!({"forms": {"total": of("forms")}, "sip": {"total": of("sip")}});
            Ok(Answer::ok(
                json!({"total": all.len(), "accepted": 0, "declined": 0, "categories": categories}),
            ))
        }
        ("POST", [category @ ("forms" | "sip")]) => create(call, category),
        ("GET", [uid]) => shown_one(call, uid),
        ("POST", [uid, "accept"]) => accept(call, uid),
        ("DELETE", [uid, "decline"]) => decline(call, uid),
        (_, [] | [_] | [_, "accept" | "decline"]) => Err(Answer::not_allowed()),
        _ => Err(Answer::not_found("Not Found")),
    }
}

fn absent() -> Answer {
    Answer::not_found("Unsorted not found")
}

fn shown_one(call: &Call<'_>, uid: &str) -> Reply {
    let found = call.account.unsorted.iter().find(|u| u.uid == uid);
    found.map(|u| Answer::ok(shown(call, u))).ok_or_else(absent)
}

fn shown(call: &Call<'_>, u: &Unsorted) -> Value {
    json!({
        "uid": u.uid, "source_uid": u.source_uid, "source_name": u.source_name, "category": u.category,
        "pipeline_id": u.pipeline_id, "created_at": u.created_at, "metadata": u.metadata,
        "account_id": call.account.id, "_links": self_link(call.href(&format!("leads/unsorted/{}", u.uid))),
        "_embedded": people(call, u, false),
    })
}

fn people(call: &Call<'_>, u: &Unsorted, flags: bool) -> Value {
    let list = |kind: Kind, ids: &[i64]| -> Vec<Value> {
        let one = |id: &i64| {
            let mut line =
                json!({"id": id, "_links": self_link(call.href(&format!("{}/{id}", kind.plural())))});
            if flags && kind != Kind::Lead {
                line["is_deleted"] = json!(false);
                line["is_unsorted"] = json!(call.account.table(kind).get(id).is_some_and(|e| e.is_unsorted));
            }
            line
        };
        ids.iter().map(one).collect()
    };
    json!({
        "leads": list(Kind::Lead, &[u.lead_id]), "contacts": list(Kind::Contact, &u.contacts),
        "companies": list(Kind::Company, &u.companies),
    })
}

fn create(call: &mut Call<'_>, category: &str) -> Reply {
    let items = call.items(BATCH_LIMIT)?;
    let mut faults = Faults::default();
    let mut parcels = Vec::new();
    for (index, item) in items.iter().enumerate() {
        for key in ["source_uid", "source_name"] {
            match item.get(key) {
                Some(Value::String(_)) => {}
                Some(_) => faults.invalid_type(key, "string"),
                None => faults.missing(key),
            }
        }
        let metadata = item.get("metadata").cloned().unwrap_or_default();
        if metadata.is_object() {
            check_metadata(&metadata, category, "metadata.", &mut faults);
        } else {
            faults.missing("metadata");
        }
        let embedded = item.get("_embedded").and_then(Value::as_object);
        let lead = embedded
            .and_then(|e| e.get("leads"))
            .and_then(|l| l.get(0))
            .and_then(Value::as_object);
        let mut lead = lead.cloned().unwrap_or_default();
        if let Some(pipeline) = item.get("pipeline_id") {
            lead.insert("pipeline_id".to_owned(), pipeline.clone());
        }
        let mut parcel = parcel(call.account, &lead, embedded, "unsorted", &mut faults);
        (parcel.category, parcel.metadata) = (Some(category.to_owned()), metadata);
        parcels.push(parcel);
        faults.end_item(request_id(item, index));
    }
    faults.check()?;
    let mut out = Vec::new();
    for (index, (item, mut parcel)) in items.iter().zip(parcels).enumerate() {
        let word = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
        let (uid, name) = (word("source_uid"), word("source_name"));
        call.account
            .open_parcel(&mut parcel, None, call.user_id, uid, name);
        let Some(u) = call.account.unsorted.last() else {
            continue;
        };
        out.push(json!({
            "uid": u.uid, "account_id": call.account.id, "request_id": request_id(item, index),
            "_links": self_link(call.href(&format!("leads/unsorted/{}", u.uid))), "_embedded": people(call, u, false),
        }));
    }
    Ok(Answer::ok(
        json!({"_total_items": out.len(), "_embedded": {"unsorted": out}}),
    ))
}

fn accept(call: &mut Call<'_>, uid: &str) -> Reply {
    let body = if call.body.is_empty() {
        Object::new()
    } else {
        call.object()?
    };
    let mut faults = Faults::default();
    let Some(incoming) = call.account.unsorted.iter().find(|u| u.uid == uid).cloned() else {
        return Err(absent());
    };
    let user = draft::user(call.account, &body, "user_id", false, "", &mut faults).unwrap_or(call.user_id);
    let status = draft::int(&body, "status_id", "", &mut faults);
    let pipeline = call.account.pipeline(incoming.pipeline_id);
    if status.is_some_and(|id| pipeline.is_none_or(|p| p.status(id).is_none_or(|s| s.is_unsorted))) {
        faults.not_supported("status_id");
    }
    faults.end_item(json!("0"));
    faults.check()?;
    call.account.accept_unsorted(uid, status, user);
    Ok(Answer::ok(json!({
        "uid": uid, "pipeline_id": incoming.pipeline_id, "category": incoming.category,
        "created_at": incoming.created_at, "_embedded": people(call, &incoming, true),
    })))
}

fn decline(call: &mut Call<'_>, uid: &str) -> Reply {
    let Some(incoming) = call.account.unsorted.iter().find(|u| u.uid == uid).cloned() else {
        return Err(absent());
    };
    call.account.decline_unsorted(uid, call.user_id);
    Ok(Answer::ok(json!({
        "uid": uid, "pipeline_id": incoming.pipeline_id, "category": incoming.category,
        "created_at": incoming.created_at, "_embedded": people(call, &incoming, true),
    })))
}
