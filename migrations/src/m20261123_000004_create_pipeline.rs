//! Inbound bodies, events, runs, deliveries, attempts, links and what is known of records.

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
            "inbound",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("connection_id"),
                big("received_at"),
                text("content_type"),
                text("body"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        create(
            manager,
            "event",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("connection_id"),
                text("event_key"),
                text("kind"),
                text("record_kind"),
                text("record_id"),
                text("origin"),
                text("state"),
                text("fact"),
                text_null("outcome"),
                uuid_null("inbound_id"),
                uuid_null("replay_of"),
                uuid_null("only_rule_id"),
                int("chain"),
                int("n_matched"),
                int("n_crashes"),
                big("received_at"),
                big_null("occurred_at"),
                big("due_at"),
                big_null("dispatched_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ux_event_key",
            "event",
            &["workspace_id", "connection_id", "event_key"],
            true,
        )
        .await?;
        index(
            manager,
            "ix_event_record",
            "event",
            &["workspace_id", "record_kind", "record_id", "id"],
            false,
        )
        .await?;
        partial_index(
            manager,
            "ix_event_waiting",
            "event",
            &["connection_id", "due_at", "id"],
            "state = 'new'",
        )
        .await?;
        partial_index(
            manager,
            "ix_event_waiting_record",
            "event",
            &[
                "workspace_id",
                "connection_id",
                "record_kind",
                "record_id",
                "due_at",
            ],
            "state = 'new'",
        )
        .await?;
        index(
            manager,
            "ix_event_received",
            "event",
            &["workspace_id", "received_at"],
            false,
        )
        .await?;
        create(
            manager,
            "run",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("event_id"),
                uuid("rule_id"),
                uuid("rule_version_id"),
                text("outcome"),
                text("explanation"),
                text("notes"),
                int("n_commands"),
                big("at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ix_run_event",
            "run",
            &["workspace_id", "event_id"],
            false,
        )
        .await?;
        index(
            manager,
            "ix_run_rule",
            "run",
            &["workspace_id", "rule_id", "id"],
            false,
        )
        .await?;
        index(manager, "ix_run_at", "run", &["workspace_id", "at"], false).await?;
        create(
            manager,
            "delivery",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("run_id"),
                uuid("event_id"),
                uuid("rule_id"),
                uuid_null("connection_id"),
                text("lane"),
                text("command"),
                text("state"),
                text("progress"),
                text_null("record_kind"),
                text_null("record_id"),
                text_null("error_code"),
                text_null("error"),
                text_null("lease_owner"),
                big_null("lease_until"),
                uuid_null("replay_of"),
                int("chain"),
                int("n_attempts"),
                big("created_at"),
                big_null("first_at"),
                big("due_at"),
                big_null("finished_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ix_delivery_event",
            "delivery",
            &["workspace_id", "event_id"],
            false,
        )
        .await?;
        index(
            manager,
            "ix_delivery_record",
            "delivery",
            &["workspace_id", "record_kind", "record_id", "id"],
            false,
        )
        .await?;
        partial_index(
            manager,
            "ix_delivery_due",
            "delivery",
            &["connection_id", "due_at", "id"],
            "state IN ('pending', 'uncertain', 'leased')",
        )
        .await?;
        partial_index(
            manager,
            "ix_delivery_lane",
            "delivery",
            &["workspace_id", "lane", "id"],
            "state IN ('pending', 'uncertain', 'leased')",
        )
        .await?;
        partial_index(
            manager,
            "ix_delivery_leased",
            "delivery",
            &["connection_id"],
            "state = 'leased'",
        )
        .await?;
        partial_index(
            manager,
            "ix_delivery_dead",
            "delivery",
            &["workspace_id", "id"],
            "state = 'dead'",
        )
        .await?;
        partial_index(
            manager,
            "ix_delivery_finished",
            "delivery",
            &["workspace_id", "finished_at"],
            "finished_at IS NOT NULL",
        )
        .await?;
        create(
            manager,
            "attempt",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("delivery_id"),
                int("number"),
                text("outcome"),
                text_null("error_code"),
                text_null("error"),
                text("exchanges"),
                big("started_at"),
                big("finished_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ix_attempt_delivery",
            "attempt",
            &["workspace_id", "delivery_id"],
            false,
        )
        .await?;
        create(
            manager,
            "link",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("amocrm_connection_id"),
                uuid("lptracker_connection_id"),
                text_null("deal_id"),
                text_null("contact_id"),
                text_null("lead_id"),
                text_null("lead_contact_id"),
                text("lane"),
                big("created_at"),
                big("updated_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ux_link_deal",
            "link",
            &["workspace_id", "amocrm_connection_id", "deal_id"],
            true,
        )
        .await?;
        index(
            manager,
            "ux_link_lead",
            "link",
            &["workspace_id", "lptracker_connection_id", "lead_id"],
            true,
        )
        .await?;
        index(
            manager,
            "ix_link_contact",
            "link",
            &["workspace_id", "amocrm_connection_id", "contact_id"],
            false,
        )
        .await?;
        index(
            manager,
            "ix_link_lead_contact",
            "link",
            &["workspace_id", "lptracker_connection_id", "lead_contact_id"],
            false,
        )
        .await?;
        create(
            manager,
            "snapshot",
            vec![
                uuid("workspace_id"),
                uuid("connection_id"),
                text("record_kind"),
                text("record_id"),
                text("record"),
                big("updated_at"),
            ],
            &["workspace_id", "connection_id", "record_kind", "record_id"],
        )
        .await?;
        create(
            manager,
            "known_contact",
            vec![
                uuid("workspace_id"),
                uuid("connection_id"),
                text("phone"),
                text("contact_id"),
                big("updated_at"),
            ],
            &["workspace_id", "connection_id", "phone"],
        )
        .await?;
        create(
            manager,
            "echo",
            vec![
                uuid("workspace_id"),
                uuid("id"),
                uuid("connection_id"),
                uuid("delivery_id"),
                text("record_kind"),
                text_null("record_id"),
                text("fields"),
                int("chain"),
                big("written_at"),
                big("expires_at"),
            ],
            &["workspace_id", "id"],
        )
        .await?;
        index(
            manager,
            "ix_echo_record",
            "echo",
            &["workspace_id", "connection_id", "record_kind", "record_id"],
            false,
        )
        .await?;
        index(manager, "ix_echo_expires", "echo", &["expires_at"], false).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(
            manager,
            &[
                "echo",
                "known_contact",
                "snapshot",
                "link",
                "attempt",
                "delivery",
                "run",
                "event",
                "inbound",
            ],
        )
        .await
    }
}
