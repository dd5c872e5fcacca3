//! The account: its check and its catalogue.

use crate::auth::token_expiry;
use crate::client::{Client, now};
use crate::convert::Entity;
use crate::convert::read::{field_info, stage_info, task_type_name};
use crate::wire::account::{Account, FieldDefinition, LossReason, Pipeline, Tag, User};
use crate::wire::tolerant::Int;
use connector::{AccountCard, ConnectorError};
use domain::catalogue::{self as neutral, Catalogue, TagInfo, UserInfo};
use domain::value::Choice;

const NOT_ADMIN: &str = "нет прав администратора: список пользователей и вебхуки недоступны";

/// `GET /account`, which any user may call, and a first page of users, which tells administrators.
pub(super) async fn check(client: &Client) -> Result<AccountCard, ConnectorError> {
    let account = account(client).await?;
    let mut warnings = Vec::new();
    match client.get_page::<User>("/api/v4/users", &[], "users", 1).await {
        Err(ConnectorError::Forbidden { .. }) => warnings.push(NOT_ADMIN.to_owned()),
        other => {
            other?;
        }
    }
    let tokens = client.tokens().await?;
    Ok(AccountCard {
        id: Some(account.id.0),
        name: account.name,
        url: Some(client.settings().join("/").into()),
        user: account.current_user_id.map(|user| user.0),
        zone: account
            .embedded
            .datetime_settings
            .and_then(|settings| settings.timezone),
        expires_at: tokens.expires_at.or_else(|| token_expiry(&tokens.access)),
        warnings,
    })
}

/// Everything the editor needs.
pub(super) async fn read(client: &Client) -> Result<Catalogue, ConnectorError> {
    let account = account(client).await?;
    let mut pipelines: Vec<Pipeline> = client
        .get_all("/api/v4/leads/pipelines", &[], "pipelines")
        .await?;
    pipelines.sort_by_key(|pipeline| (pipeline.is_archive, sort(pipeline.sort), pipeline.id));
    let mut fields = Vec::new();
    let mut tags = Vec::new();
    for entity in Entity::ALL {
        let word = entity.word();
        let path = format!("/api/v4/{word}/custom_fields");
        let mut some: Vec<FieldDefinition> = client.get_all(&path, &[], "custom_fields").await?;
        some.sort_by_key(|field| (sort(field.sort), field.id));
        fields.extend(some.into_iter().map(|field| field_info(entity, field)));
        let some: Vec<Tag> = client
            .get_all(&format!("/api/v4/{word}/tags"), &[], "tags")
            .await?;
        tags.extend(some.into_iter().map(|tag| TagInfo {
            record: entity.kind(),
            id: tag.id.0,
            name: tag.name,
        }));
    }
    let users = optional(client.get_all::<User>("/api/v4/users", &[], "users").await)?;
    let loss_reasons = optional(
        client
            .get_all::<LossReason>("/api/v4/leads/loss_reasons", &[], "loss_reasons")
            .await,
    )?;
    let task_types = account.embedded.task_types.into_iter().map(|kind| {
        let name = if kind.name.is_empty() {
            task_type_name(kind.id.0).to_owned()
        } else {
            kind.name
        };
        Choice::new(kind.id.0, name)
    });
    Ok(Catalogue {
        read_at: now(),
        pipelines: pipelines.into_iter().map(neutral_pipeline).collect(),
        fields,
        users: users.into_iter().map(neutral_user).collect(),
        tags,
        task_types: task_types.collect(),
        loss_reasons: loss_reasons
            .into_iter()
            .map(|reason| Choice::new(reason.id.0, reason.name))
            .collect(),
    })
}

async fn account(client: &Client) -> Result<Account, ConnectorError> {
    let query = [("with", "task_types,datetime_settings,is_api_filter_enabled")];
    client
        .get("/api/v4/account", &query)
        .await?
        .ok_or_else(|| ConnectorError::Protocol {
            message: "пустой ответ на запрос аккаунта".to_owned(),
        })
}

/// Lists that need rights or options which the account may not have.
fn optional<T>(list: Result<Vec<T>, ConnectorError>) -> Result<Vec<T>, ConnectorError> {
    match list {
        Err(ConnectorError::Forbidden { .. } | ConnectorError::NotFound) => Ok(Vec::new()),
        other => other,
    }
}

fn neutral_pipeline(pipeline: Pipeline) -> neutral::Pipeline {
    let mut statuses = pipeline.embedded.statuses;
    statuses.sort_by_key(|status| (sort(status.sort), status.id));
    neutral::Pipeline {
        id: pipeline.id.0,
        name: pipeline.name,
        stages: statuses.into_iter().map(stage_info).collect(),
    }
}

fn neutral_user(user: User) -> UserInfo {
    let is_active = user.rights.and_then(|rights| rights.is_active).unwrap_or(true);
    UserInfo {
        id: user.id.0,
        name: user.name,
        is_active,
    }
}

fn sort(place: Option<Int>) -> i64 {
    place.map_or(i64::MAX, |place| place.0)
}
