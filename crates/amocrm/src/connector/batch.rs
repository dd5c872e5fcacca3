//! Writing, one by one and in arrays.
//!
//! amoCRM takes arrays of up to 50 items comfortably. Writes that go to one collection travel together, as
//! long as no two of them concern the same record, so that order per record is kept; a refused item is taken
//! out and the others are sent again.

use super::{AmocrmConnector, entity_path};
use crate::convert::Entity;
use crate::convert::write::{Item, Plan, Route, keep_kinds, plan, writes_kinds};
use crate::error::Failure;
use crate::wire::entity::{Contact, FieldValues};
use crate::wire::tolerant::{Int, Known, int};
use connector::http::{Exchange, Trace, traced};
use connector::{ConnectorError, Effect, Outgoing};
use domain::command::Write;
use domain::record::RecordKey;
use domain::time::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Items of one call; more are accepted, but answer 504 under load.
pub(super) const ITEMS_PER_CALL: usize = 50;

type Outcome = Result<Effect, ConnectorError>;

impl AmocrmConnector {
    pub(super) async fn write_one(&self, write: &Write) -> Outcome {
        let mut planned = plan(write, &self.settings().zone)?;
        if writes_kinds(write) {
            self.keep_kinds_of(std::slice::from_mut(&mut planned)).await?;
        }
        let effect = if planned.item.is_hollow() && planned.route.is_idempotent() {
            Effect {
                key: planned.key.clone(),
                ..Effect::default()
            }
        } else {
            self.send_one(&planned).await?
        };
        self.make_links(&planned).await?;
        Ok(effect)
    }

    async fn send_one(&self, planned: &Plan) -> Outcome {
        let mut item = planned.item.clone();
        let answer = match planned.route {
            Route::Change(_) | Route::ChangeTasks => {
                let id = item.take_id().unwrap_or_default();
                let path = format!("{}/{id}", planned.route.path());
                self.client.send("PATCH", &path, &item).await
            }
            route => self.client.send(route.method(), &route.path(), &[item]).await,
        };
        match answer.map_err(ConnectorError::from)? {
            Some(json) => {
                let answers = Answers::read(json, planned.route.list());
                answers.effect(planned, 0).ok_or_else(unanswered)
            }
            None if planned.route.is_idempotent() => Err(ConnectorError::NotFound),
            None => Err(unanswered()),
        }
    }

    async fn make_links(&self, planned: &Plan) -> Result<(), ConnectorError> {
        let (Some(key), false) = (&planned.key, planned.links.is_empty()) else {
            return Ok(());
        };
        let Some(path) = Entity::of(key.kind).and_then(|entity| entity_path(entity, &key.id)) else {
            return Err(ConnectorError::NotFound);
        };
        self.client
            .send("POST", &format!("{path}/link"), &planned.links)
            .await?;
        Ok(())
    }

    pub(super) async fn write_many(&self, writes: &[Outgoing]) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = writes.iter().map(|_| None).collect();
        let mut plans: Vec<Option<Plan>> = Vec::with_capacity(writes.len());
        for (one, outcome) in writes.iter().zip(&mut outcomes) {
            match plan(&one.write, &self.settings().zone) {
                Ok(planned) => plans.push(Some(planned)),
                Err(error) => {
                    *outcome = Some(Err(error));
                    plans.push(None);
                }
            }
        }
        let mut waiting: Vec<usize> = (0..writes.len()).filter(|at| plans[*at].is_some()).collect();
        while !waiting.is_empty() {
            let (now, later) = next_round(&waiting, &plans);
            self.round(now, &mut plans, writes, &mut outcomes).await;
            waiting = later;
        }
        outcomes
            .into_iter()
            .map(|outcome| outcome.unwrap_or_else(|| Err(unanswered())))
            .collect()
    }

    /// Sends writes of which no two concern the same record.
    async fn round(
        &self,
        now: Vec<usize>,
        plans: &mut [Option<Plan>],
        writes: &[Outgoing],
        outcomes: &mut [Option<Outcome>],
    ) {
        let mut groups: BTreeMap<Route, Vec<(usize, Plan)>> = BTreeMap::new();
        for at in now {
            let Some(planned) = plans[at].take() else { continue };
            // Several calls for one write, or nothing but links: not for an array.
            if !planned.links.is_empty() || planned.item.is_hollow() {
                let one = &writes[at];
                outcomes[at] = Some(traced(one.trace.clone(), self.write_one(&one.write)).await);
            } else {
                groups.entry(planned.route).or_default().push((at, planned));
            }
        }
        for (route, mut group) in groups {
            if group.iter().any(|(at, _)| writes_kinds(&writes[*at].write)) {
                let (places, mut planned): (Vec<usize>, Vec<Plan>) = group.into_iter().unzip();
                let common = Trace::default();
                let kept = traced(common.clone(), self.keep_kinds_of(&mut planned)).await;
                let exchanges = common.take();
                for at in &places {
                    for exchange in &exchanges {
                        writes[*at].trace.push(shared(exchange, places.len()));
                    }
                }
                if let Err(error) = kept {
                    for at in places {
                        outcomes[at] = Some(Err(error.clone()));
                    }
                    continue;
                }
                group = places.into_iter().zip(planned).collect();
            }
            let mut chunks: Vec<Vec<(usize, Plan)>> = Vec::new();
            while !group.is_empty() {
                let rest = group.split_off(group.len().min(ITEMS_PER_CALL));
                chunks.push(std::mem::replace(&mut group, rest));
            }
            chunks.reverse();
            while let Some(chunk) = chunks.pop() {
                self.send_chunk(route, chunk, &mut chunks, writes, outcomes).await;
            }
        }
    }

    /// Sends one array; what must be sent again is pushed back.
    async fn send_chunk(
        &self,
        route: Route,
        mut chunk: Vec<(usize, Plan)>,
        again: &mut Vec<Vec<(usize, Plan)>>,
        writes: &[Outgoing],
        outcomes: &mut [Option<Outcome>],
    ) {
        if let [(at, planned)] = chunk.as_slice() {
            outcomes[*at] = Some(traced(writes[*at].trace.clone(), self.send_one(planned)).await);
            return;
        }
        for (place, (_, planned)) in chunk.iter_mut().enumerate() {
            planned.item.set_request_id(Some(place.to_string()));
        }
        let items: Vec<&Item> = chunk.iter().map(|(_, planned)| &planned.item).collect();
        let common = Trace::default();
        let sent = traced(
            common.clone(),
            self.client.send(route.method(), &route.path(), &items),
        )
        .await;
        let exchanges = common.take();
        let answers = match &sent {
            Ok(json) => Answers::read(json.clone().unwrap_or_default(), route.list()),
            Err(_) => Answers(Vec::new()),
        };
        for (place, (at, planned)) in chunk.iter().enumerate() {
            for exchange in &exchanges {
                let part = part(exchange, &planned.item, answers.raw(planned, place), chunk.len());
                writes[*at].trace.push(part);
            }
        }
        match sent {
            Ok(_) => {
                for (place, (at, planned)) in chunk.iter().enumerate() {
                    outcomes[*at] = Some(answers.effect(planned, place).ok_or_else(unanswered));
                }
            }
            Err(failure) => match sort_out(route, &failure, chunk.len()) {
                After::Resend(refused) => {
                    let mut rest = Vec::new();
                    for (place, (at, planned)) in chunk.into_iter().enumerate() {
                        match refused.get(&place) {
                            Some(error) => outcomes[at] = Some(Err(error.clone())),
                            None => rest.push((at, planned)),
                        }
                    }
                    if !rest.is_empty() {
                        again.push(rest);
                    }
                }
                After::Halve => {
                    let second = chunk.split_off(chunk.len() / 2);
                    again.push(second);
                    again.push(chunk);
                }
                After::Fail => {
                    for (at, _) in chunk {
                        outcomes[at] = Some(Err(failure.error.clone()));
                    }
                }
            },
        }
    }

    /// Reads the phones and e-mails that contacts and companies have, for their kinds.
    async fn keep_kinds_of(&self, plans: &mut [Plan]) -> Result<(), ConnectorError> {
        for entity in [Entity::Contacts, Entity::Companies] {
            let ids: Vec<String> = plans
                .iter()
                .filter(|planned| planned.route == Route::Change(entity))
                .filter_map(|planned| planned.key.as_ref().map(|key| key.id.0.clone()))
                .collect();
            for some in ids.chunks(ITEMS_PER_CALL) {
                let query: Vec<(&str, &str)> = some.iter().map(|id| ("filter[id][]", id.as_str())).collect();
                let path = format!("/api/v4/{}", entity.word());
                let held: Vec<Contact> = self.client.get_all(&path, &query, entity.word()).await?;
                let held: BTreeMap<i64, &[FieldValues]> = held
                    .iter()
                    .filter_map(|one| match &one.custom_fields_values {
                        Known::Is(list) => Some((one.id.0, list.0.as_slice())),
                        _ => None,
                    })
                    .collect();
                for planned in plans
                    .iter_mut()
                    .filter(|planned| planned.route == Route::Change(entity))
                {
                    let id = planned.key.as_ref().and_then(|key| key.id.number());
                    if let (Item::Entity(body), Some(fields)) =
                        (&mut planned.item, id.and_then(|id| held.get(&id)))
                    {
                        keep_kinds(body, fields);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The first waiting write of every record, and those that must wait for them.
fn next_round(waiting: &[usize], plans: &[Option<Plan>]) -> (Vec<usize>, Vec<usize>) {
    let mut taken: BTreeSet<&RecordKey> = BTreeSet::new();
    waiting.iter().copied().partition(|at| {
        match plans[*at].as_ref().and_then(|planned| planned.key.as_ref()) {
            Some(key) => taken.insert(key),
            None => true,
        }
    })
}

/// What to do with an array that failed as a whole.
enum After {
    /// Send it again without these items, which were refused.
    Resend(BTreeMap<usize, ConnectorError>),
    /// Send both halves apart.
    Halve,
    /// Every item shares the failure.
    Fail,
}

fn sort_out(route: Route, failure: &Failure, n_items: usize) -> After {
    let mut refused = BTreeMap::new();
    for item in &failure.items {
        if let Some(place) = item.request_id.parse().ok().filter(|place| *place < n_items) {
            refused.entry(place).or_insert_with(|| item.to_error());
        }
    }
    match failure.status {
        400..500 if !refused.is_empty() => After::Resend(refused),
        // A refusal that names nobody: the guilty one is found by halving.
        400 | 413 | 422 => After::Halve,
        // Too heavy. Some of it may have been applied, so only what may be repeated is.
        504 if route.is_idempotent() => After::Halve,
        _ => After::Fail,
    }
}

fn unanswered() -> ConnectorError {
    ConnectorError::Protocol {
        message: "в ответе нет записанного элемента".to_owned(),
    }
}

/// Items of an answer: `_embedded.{list}[]`, or one flat object.
struct Answers(Vec<(Answer, Json)>);

#[derive(Deserialize)]
struct Answer {
    id: Int,
    #[serde(default)]
    request_id: Json,
    #[serde(default)]
    updated_at: Option<Int>,
}

/// What one item had to do with a call that carried several.
fn part(exchange: &Exchange, item: &Item, answer: Option<&Json>, n_items: usize) -> Exchange {
    let note = format!("одна из {n_items} записей общего вызова");
    Exchange {
        sent: serde_json::to_string(item)
            .ok()
            .map(|item| format!("[{item}] — {note}")),
        answered: answer
            .map(|answer| format!("{answer} — {note}"))
            .or_else(|| exchange.answered.clone()),
        ..exchange.clone()
    }
}

/// A read that was made for several at once: whose records it brought is told, not the records.
fn shared(exchange: &Exchange, n_items: usize) -> Exchange {
    Exchange {
        answered: exchange
            .answered
            .as_ref()
            .map(|_| format!("общее чтение для {n_items} записей")),
        ..exchange.clone()
    }
}

impl Answers {
    fn read(json: Json, list: &str) -> Self {
        let items = match json
            .get("_embedded")
            .and_then(|embedded| embedded.get(list))
            .cloned()
        {
            Some(items) => crate::wire::tolerant::items(items),
            None => vec![json],
        };
        Self(
            items
                .into_iter()
                .filter_map(|item| Some((serde_json::from_value(item.clone()).ok()?, item)))
                .collect(),
        )
    }

    /// What became of the item at a place of the array.
    fn effect(&self, planned: &Plan, place: usize) -> Option<Effect> {
        let key = planned.key.as_ref();
        let (answer, _) = self.of(planned, place)?;
        let updated_at = answer.updated_at.map(|at| Timestamp::from_secs(at.0));
        Some(match planned.route {
            Route::Create(entity) => Effect {
                key: Some(RecordKey::new(entity.kind(), answer.id.0)),
                part: None,
                updated_at,
            },
            Route::CreateTasks | Route::AddNotes(_) => Effect {
                key: key.cloned(),
                part: Some(answer.id.0.to_string()),
                updated_at,
            },
            Route::Change(_) | Route::ChangeTasks => Effect {
                key: key.cloned(),
                part: None,
                updated_at,
            },
        })
    }

    /// The answer as it came.
    fn raw(&self, planned: &Plan, place: usize) -> Option<&Json> {
        self.of(planned, place).map(|(_, raw)| raw)
    }

    fn of(&self, planned: &Plan, place: usize) -> Option<&(Answer, Json)> {
        let by_request = || {
            self.0.iter().find(|(answer, _)| match &answer.request_id {
                Json::Null => false,
                other => int(other).is_some_and(|number| number == place as i64),
            })
        };
        match planned.route {
            // A changed entity is known by its id.
            Route::Change(_) | Route::ChangeTasks => {
                let id = planned.key.as_ref().and_then(|key| key.id.number())?;
                self.0.iter().find(|(answer, _)| answer.id.0 == id)
            }
            _ if self.0.len() == 1 && place == 0 => self.0.first(),
            _ => by_request().or_else(|| self.0.get(place)),
        }
    }
}
