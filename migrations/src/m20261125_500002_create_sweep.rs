//! Timers of rules, and walks over records that make events for one rule.

use crate::table::*;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            "schedule",
            vec![uuid("workspace_id"), uuid("rule_id"), int("place"), big("due_at")],
            &["workspace_id", "rule_id", "place"],
        )
        .await?;
        index(manager, "ix_schedule_due", "schedule", &["due_at"], false).await?;
        // What belongs to no rule or no connection carries the nil id, so that the constraint holds for it, too.
        create(
            manager,
            "sweep",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                text("kind"),
                uuid("rule_id"),
                uuid("connection_id"),
                big("tick_at"),
                text("wanted"),
                text_null("cursor"),
                text("state"),
                int("n_seen"),
                int("n_events"),
                int("n_missed"),
                int("n_failures"),
                text_null("failure"),
                text("actor_name"),
                big("due_at"),
                big("created_at"),
                big_null("finished_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        // One tick makes one sweep, however many processes see it come due.
        index(
            manager,
            "ux_sweep_tick",
            "sweep",
            &["workspace_id", "rule_id", "kind", "tick_at"],
            true,
        )
        .await?;
        partial_index(
            manager,
            "ix_sweep_due",
            "sweep",
            &["connection_id", "due_at"],
            "state = 'running'",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, &["sweep", "schedule"]).await
    }
}
