//! The OpenAPI document: gathered from the route table, the same for every build.

use crate::http;
use actix_web::App;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, Required, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi as _};
use utoipa_actix_web::AppExt;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "CRM Интегратор",
        version = "1",
        description = "Связывает amoCRM и LPTracker правилами «ЕСЛИ … ТО …».\n\n\
            Моменты — миллисекунды Unix (UTC), номера — UUID. Ошибки — `application/problem+json`. Списки листаются \
            параметром `cursor` из поля `next` предыдущей страницы.\n\n\
            Скрипты передают ключ кабинета в заголовке `Authorization: Bearer …`. Браузерный сеанс передаёт cookie, \
            в изменяющих запросах — заголовок `X-Requested-With: integrator`, а кабинет называет в \
            `X-Workspace-Id`. Создания принимают `Idempotency-Key`, правки правил требуют `If-Match`."
    ),
    components(schemas(
        api::Order, api::Problem, api::panel::Period, api::call::SyncState, api::call::CallSource, api::call::CallOrder,
        api::call::ExportFormat, api::import::RowState
    )),
    modifiers(&Security)
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("Ключ API кабинета: Настройки → API-ключи"))
            .build();
        components.add_security_scheme("key", SecurityScheme::Http(key));
        let cookie = ApiKeyValue::with_description("integrator", "Сеанс человека в браузере");
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The document as it is committed and served: sorted, indented, with a line break at the end.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        // Through a plain value, whose maps are sorted: the order must not depend on the order of the routes.
        let value = serde_json::to_value(document()).unwrap_or_default();
        let mut text = serde_json::to_string_pretty(&sorted(value)).unwrap_or_default();
        text.push('\n');
        text
    })
}

/// Methods of an address that the document knows; none when it knows no such address.
pub fn methods_of(path: &str) -> Vec<String> {
    static TABLE: OnceLock<Vec<(String, Vec<String>)>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let methods = |item: &PathItem| operations(item).map(|(method, _)| method.to_owned()).collect();
        document()
            .paths
            .paths
            .iter()
            .map(|(path, item)| (path.clone(), methods(item)))
            .collect()
    });
    let wanted: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == wanted.len()
            && parts
                .iter()
                .zip(&wanted)
                .all(|(part, word)| part == word || (part.starts_with('{') && !word.is_empty()))
    };
    let mut found: Vec<String> = table
        .iter()
        .filter(|(template, _)| fits(template))
        .flat_map(|(_, methods)| methods.clone())
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The document, built from the route table without serving anything.
pub fn document() -> &'static OpenApi {
    static DOCUMENT: OnceLock<OpenApi> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let app = App::new().into_utoipa_app().openapi(Document::openapi());
        let app = app.configure(|config| http::everything(config, None));
        let (_, mut document) = app.split_for_parts();
        for (path, item) in &mut document.paths.paths {
            let anonymous = is_anonymous(path);
            for operation in operations_mut(item) {
                describe(path, operation, anonymous);
            }
        }
        document
    })
}

/// Operations that anybody may call.
fn is_anonymous(path: &str) -> bool {
    !path.starts_with("/api/v1")
        || path.starts_with("/api/v1/registration")
        || path.starts_with("/api/v1/password/")
        || ["/api/v1/session", "/api/v1/session/link", "/api/v1/setup"].contains(&path)
}

/// Adds what every operation has: parts of the path, headers, refusals, who may call it.
fn describe(path: &str, operation: &mut Operation, anonymous: bool) {
    let parameters = operation.parameters.get_or_insert_default();
    for part in path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    {
        parameters.retain(|known| !matches!(known, RefOr::T(known) if known.name == part));
        parameters.push(path_parameter(part).into());
    }
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let is_own = path == "/api/v1/workspaces" || path.starts_with("/api/v1/me");
    if !anonymous && !is_own {
        let text = "Кабинет; ключу API и человеку с одним кабинетом не нужен";
        parameters.push(header_parameter("X-Workspace-Id", text, Required::False, true).into());
    }
    if matches!(
        id,
        "save_rule" | "delete_rule" | "publish_rule" | "restore_rule_version"
    ) {
        let text = "Версия, от которой сделана правка, например \"7\"";
        parameters.push(header_parameter("If-Match", text, Required::True, false).into());
    }
    if operation.responses.responses.contains_key("201") {
        let text = "Любая строка до 200 знаков: повтор с ней вернёт прежний ответ и ничего не создаст заново";
        parameters.push(header_parameter("Idempotency-Key", text, Required::False, false).into());
    }
    if parameters.is_empty() {
        operation.parameters = None;
    }
    for (range, text) in [("4XX", "Запрос отклонён"), ("5XX", "Сбой у нас или в CRM")]
    {
        let body = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build();
        let answer = ResponseBuilder::new()
            .description(text)
            .content(api::problem::MEDIA_TYPE, body)
            .build();
        operation
            .responses
            .responses
            .insert(range.to_owned(), answer.into());
    }
    for (status, answer) in &mut operation.responses.responses {
        if let RefOr::T(answer) = answer
            && answer.description.is_empty()
        {
            answer.description = status_text(status).to_owned();
        }
    }
    if !anonymous {
        use utoipa::openapi::security::SecurityRequirement;
        let none: [&str; 0] = [];
        operation.security = Some(vec![
            SecurityRequirement::new("key", none),
            SecurityRequirement::new("session", none),
        ]);
    }
}

fn status_text(status: &str) -> &'static str {
    match status {
        "201" => "Создано",
        "202" => "Принято: письмо отправлено, если есть кому",
        "204" => "Сделано, тела нет",
        "303" => "Переход на страницу подключения",
        _ => "Готово",
    }
}

fn path_parameter(name: &str) -> Parameter {
    let text = match name {
        "api_key" => "Ключ API",
        "connection" => "Подключение",
        "delivery" => "Доставка",
        "event" => "Событие",
        "invitation" => "Приглашение",
        "link" => "Связь",
        "call" => "Результат прозвона",
        "import" => "Загрузка",
        "row" => "Номер строки, как его показывает Excel",
        "rule" => "Правило",
        "case" => "Проверка правила",
        "sweep" => "Обход записей",
        "template" => "Слово шаблона",
        "session" => "Сеанс",
        "user" => "Человек",
        "version" => "Опубликованная версия правила",
        "kind" => "CRM: amocrm или lptracker",
        "secret" => "Секрет адреса",
        _ => "",
    };
    let is_id = !matches!(name, "kind" | "secret" | "template" | "row");
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(text))
        .schema(Some(text_schema(is_id)))
        .build()
}

fn header_parameter(name: &str, text: &str, required: Required, is_id: bool) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(text))
        .schema(Some(text_schema(is_id)))
        .build()
}

fn text_schema(is_id: bool) -> Schema {
    let format = is_id.then_some(SchemaFormat::KnownFormat(KnownFormat::Uuid));
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(format)
        .build()
        .into()
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("DELETE", &item.delete),
        ("GET", &item.get),
        ("PATCH", &item.patch),
        ("POST", &item.post),
        ("PUT", &item.put),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.delete,
        &mut item.get,
        &mut item.patch,
        &mut item.post,
        &mut item.put,
    ]
    .into_iter()
    .flatten()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members
                .into_iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        value => value,
    }
}
