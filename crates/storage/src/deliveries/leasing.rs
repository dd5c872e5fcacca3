//! Leasing: the first due delivery of each lane.
//!
//! Looked for in two ways, so that neither many lanes nor deep ones make it slow. First among those of the connection
//! that have been due longest, which finds what it needs unless the lanes are deep and few. Where that does not fill the
//! lease and more is due than was looked at, the lanes are walked by skipping from one to the next in their index.
//!
//! Rules take turns: of each what has been due longest, then the second of each, and so on, so that a rule which plans
//! much delays another at most as if there were two of it.

use super::{COLUMNS, Delivery, OPEN, Row};
use crate::db::{Conn, is_postgres};
use crate::error::StorageError;
use crate::sql;
use domain::id::{ConnectionId, RuleId};
use domain::time::Timestamp;
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

/// Due deliveries of a connection that are looked at before its lanes are walked.
const WINDOW: usize = 1_000;

/// Rules that take turns when more is due than is looked at: those that wait longest.
const RULES: usize = 50;

/// Rules that a person has stopped, as parts of a statement.
pub(super) struct Held(String);

impl Held {
    /// Their ids join the values.
    pub(super) fn new(rules: &[RuleId], values: &mut Vec<Value>) -> Self {
        let places: Vec<String> = rules
            .iter()
            .map(|rule| {
                values.push(rule.0.into());
                format!("${}", values.len())
            })
            .collect();
        Self(places.join(", "))
    }

    /// That nothing of `row` is held.
    pub(super) fn spared(&self, row: &str) -> String {
        match self.0.is_empty() {
            true => String::new(),
            false => format!(" AND {row}.rule_id NOT IN ({})", self.0),
        }
    }

    /// That what stands behind `row` has to wait for it. What a stopped rule wants of a record holds nobody else back;
    /// what it would find or create does, since there is nothing yet for the others to act upon.
    fn holds_back(&self, row: &str) -> String {
        match self.0.is_empty() {
            true => String::new(),
            false => format!(
                " AND ({row}.rule_id NOT IN ({}) OR {row}.state = 'leased' OR {row}.command LIKE '%\"do\":\"upsert\"%')",
                self.0
            ),
        }
    }
}

/// That `row` waits and nothing before it in its lane holds it back.
pub(super) fn first_of_lane(row: &str, held: &Held) -> String {
    format!(
        "{row}.{OPEN} AND {row}.state <> 'leased' AND NOT EXISTS (SELECT 1 FROM delivery e \
         WHERE e.workspace_id = {row}.workspace_id AND e.lane = {row}.lane AND e.id < {row}.id AND e.{OPEN}{})",
        held.holds_back("e")
    )
}

/// Leases up to `limit` due deliveries that are first in their lane, of the given connection (the hub's own
/// operations are those without one). A leased delivery belongs to `owner` until `until`. One that no longer
/// parses is made dead and left out. What `held` rules have planned keeps its place; others of its lane pass it,
/// unless it is to find or create the record.
///
/// Two of one lane are never leased at once, whoever else leases at the same moment: what stands before a
/// delivery in its lane stays open until it is at its end, so a view of the past can only hold back too much.
pub async fn lease(
    conn: &impl Conn,
    connection: Option<ConnectionId>,
    owner: &str,
    now: Timestamp,
    until: Timestamp,
    limit: u64,
    held: &[RuleId],
) -> Result<Vec<Delivery>, StorageError> {
    let terms = Terms {
        connection,
        owner,
        now,
        until,
        held,
    };
    let is_full = connection.is_some() && terms.is_window_full(conn).await?;
    let rules = if is_full {
        terms.rules(conn).await?
    } else {
        Vec::new()
    };
    let mut leased = terms.of_window(conn, limit, &rules).await?;
    let missing = limit.saturating_sub(leased.len() as u64);
    if missing > 0 && is_full {
        leased.extend(terms.of_lanes(conn, missing).await?);
    }
    leased.sort_by_key(|delivery| delivery.id);
    Ok(leased)
}

/// For whom, until when, and what is left out.
struct Terms<'a> {
    connection: Option<ConnectionId>,
    owner: &'a str,
    now: Timestamp,
    until: Timestamp,
    held: &'a [RuleId],
}

#[derive(FromQueryResult)]
struct RuleRow {
    id: Uuid,
}

impl Terms<'_> {
    /// `$1` owner, `$2` until, `$3` now, `$4` limit, `$5` connection where there is one.
    fn values(&self, limit: u64) -> (Vec<Value>, &'static str) {
        let mut values: Vec<Value> = vec![
            self.owner.into(),
            self.until.0.into(),
            self.now.0.into(),
            (limit as i64).into(),
        ];
        match self.connection {
            Some(id) => {
                values.push(id.0.into());
                (values, "d.connection_id = $5")
            }
            None => (values, "d.connection_id IS NULL"),
        }
    }

    /// Of the window. `rules` are those that share it; none when everything due lies in it.
    async fn of_window(
        &self,
        conn: &impl Conn,
        limit: u64,
        rules: &[Uuid],
    ) -> Result<Vec<Delivery>, StorageError> {
        let (mut values, whose) = self.values(limit);
        let held = Held::new(self.held, &mut values);
        let spared = held.spared("d");
        let due_longest = |of: &str, n: usize| {
            format!(
                "SELECT d.workspace_id, d.id, d.rule_id, d.due_at FROM delivery d WHERE {whose}{of} AND d.{OPEN} \
                 AND d.due_at <= $3{spared} ORDER BY d.due_at, d.id LIMIT {n}"
            )
        };
        let window = if rules.is_empty() {
            due_longest("", WINDOW)
        } else {
            let parts = rules.iter().enumerate().map(|(at, rule)| {
                values.push((*rule).into());
                let its = format!(" AND d.rule_id = ${}", values.len());
                format!(
                    "SELECT * FROM ({}) part{at}",
                    due_longest(&its, WINDOW.div_ceil(rules.len()))
                )
            });
            parts.collect::<Vec<_>>().join(" UNION ALL ")
        };
        let picked = format!(
            "SELECT d.workspace_id, d.id FROM (SELECT it.workspace_id, it.id, ROW_NUMBER() OVER (PARTITION BY it.rule_id \
             ORDER BY it.due_at, it.id) AS turn FROM ({window}) it) near CROSS JOIN delivery d \
             WHERE d.workspace_id = near.workspace_id AND d.id = near.id AND {} AND d.due_at <= $3 \
             ORDER BY near.turn, d.due_at, d.id LIMIT $4",
            first_of_lane("d", &held)
        );
        self.take(conn, "", &picked, values).await
    }

    /// The rules with something open for the connection, found by skipping from one to the next in the index; those
    /// that wait longest.
    async fn rules(&self, conn: &impl Conn) -> Result<Vec<Uuid>, StorageError> {
        let its = format!("FROM delivery d WHERE d.connection_id = $1 AND d.{OPEN}");
        let sql = format!(
            "WITH RECURSIVE busy(id) AS (SELECT (SELECT d.rule_id {its} ORDER BY d.rule_id LIMIT 1) UNION ALL \
             SELECT (SELECT d.rule_id {its} AND d.rule_id > busy.id ORDER BY d.rule_id LIMIT 1) FROM busy \
             WHERE busy.id IS NOT NULL) SELECT id FROM busy WHERE id IS NOT NULL \
             ORDER BY (SELECT MIN(d.due_at) {its} AND d.rule_id = busy.id), id LIMIT {RULES}"
        );
        let whose = self.connection.map(|id| id.0);
        let rows = sql::all::<RuleRow, _>(conn, &sql, [whose.into()]).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Whether more is due than the window holds.
    async fn is_window_full(&self, conn: &impl Conn) -> Result<bool, StorageError> {
        let whose = self.connection.map(|id| id.0);
        let sql = format!(
            "SELECT 1 AS one FROM delivery d WHERE d.connection_id = $1 AND d.{OPEN} AND d.due_at <= $2 \
             ORDER BY d.due_at, d.id LIMIT 1 OFFSET {WINDOW}"
        );
        sql::is_any(conn, &sql, [whose.into(), self.now.0.into()]).await
    }

    async fn of_lanes(&self, conn: &impl Conn, limit: u64) -> Result<Vec<Delivery>, StorageError> {
        let (mut values, whose) = self.values(limit);
        let held = Held::new(self.held, &mut values);
        // What a connection has open is all of its workspace.
        let workspace = &format!(
            "(SELECT its.workspace_id FROM delivery its WHERE its.connection_id = $5 AND its.{OPEN} \
             ORDER BY its.connection_id, its.due_at LIMIT 1)"
        );
        let next = |after: &str| {
            format!(
                "(SELECT d.lane FROM delivery d WHERE d.workspace_id = {workspace}{after} AND d.{OPEN} \
                 ORDER BY d.lane LIMIT 1)"
            )
        };
        let lanes = format!(
            "lanes(lane) AS (SELECT {} UNION ALL SELECT {} FROM lanes WHERE lanes.lane IS NOT NULL), ",
            next(""),
            next(" AND d.lane > lanes.lane")
        );
        let first = format!(
            "(SELECT e.id FROM delivery e WHERE e.workspace_id = {workspace} AND e.lane = lanes.lane AND e.{OPEN}{} \
             ORDER BY e.id LIMIT 1)",
            held.holds_back("e")
        );
        let picked = format!(
            "SELECT d.workspace_id, d.id FROM lanes CROSS JOIN delivery d \
             WHERE d.workspace_id = {workspace} AND d.id = {first} AND {whose} AND d.{OPEN} AND d.state <> 'leased' AND d.due_at <= $3{} LIMIT $4",
            held.spared("d")
        );
        self.take(conn, &lanes, &picked, values).await
    }

    /// Leases what a statement picks; `before` stands before it, for statements that walk.
    async fn take(
        &self,
        conn: &impl Conn,
        before: &str,
        picked: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Delivery>, StorageError> {
        let locked = match is_postgres(conn) {
            true => " FOR UPDATE OF d SKIP LOCKED",
            false => "",
        };
        // Joined crosswise above: SQLite, which has no figures about the table, then keeps the order of the joins.
        // Picked in a statement of its own: as a subquery it may be carried out again for every row.
        let sql = format!(
            "WITH RECURSIVE {before}picked AS MATERIALIZED ({picked}{locked}) \
             UPDATE delivery SET state = 'leased', lease_owner = $1, lease_until = $2, n_attempts = n_attempts + 1, \
             first_at = COALESCE(first_at, $3) WHERE (workspace_id, id) IN (SELECT workspace_id, id FROM picked) \
             RETURNING {COLUMNS}"
        );
        let mut leased = Vec::new();
        for row in sql::all::<Row, _>(conn, &sql, values).await? {
            let key = (row.workspace_id, row.id);
            match Delivery::try_from(row) {
                Ok(delivery) => leased.push(delivery),
                Err(error) => set_aside(conn, key, &error, self.now).await?,
            }
        }
        Ok(leased)
    }
}

/// A row that no longer parses becomes dead: left leased it would hold up its lane for ever, and failing here
/// would hold up those that were leased with it.
async fn set_aside(
    conn: &impl Conn,
    (workspace, id): (Uuid, Uuid),
    error: &StorageError,
    now: Timestamp,
) -> Result<(), StorageError> {
    tracing::error!(delivery.id = %id, %error, "доставка не читается и остановлена");
    sql::execute(
        conn,
        "UPDATE delivery SET state = 'dead', error_code = 'corrupt', error = $3, finished_at = $4, \
         lease_owner = NULL, lease_until = NULL WHERE workspace_id = $1 AND id = $2",
        [
            workspace.into(),
            id.into(),
            "запись доставки повреждена".into(),
            now.0.into(),
        ],
    )
    .await?;
    Ok(())
}
