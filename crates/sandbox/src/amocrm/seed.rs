//! The state after a reset.

use serde_json::json;

use super::account::Account;
use super::ids::*;
use super::model::*;
use super::oauth::{Integration, Token, all_scopes};
use super::state::State;
use super::structure::system_statuses;
use crate::clock::Clock;

/// Never, for tokens of the seed: 1 January 2099.
const FAR: i64 = 4_070_908_800;

impl State {
    /// The account with its structure and tokens; `demo` adds contacts and deals.
    pub fn seeded(clock: &Clock, demo: bool) -> Self {
        let mut account = Account::empty(DEMO_AMOCRM_ACCOUNT, DEMO_AMOCRM_SUBDOMAIN, clock);
        account.name = "Демонстрация".to_owned();
        people(&mut account);
        pipelines(&mut account);
        contact_fields(&mut account);
        lead_fields(&mut account);
        account.loss_reasons = vec![
            (LOSS_EXPENSIVE, "Слишком дорого".to_owned()),
            (LOSS_NO_NEED, "Пропала потребность".to_owned()),
        ];
        account.task_types = vec![
            (1, "Связаться".to_owned(), Some("FOLLOW_UP".to_owned())),
            (2, "Встреча".to_owned(), Some("MEETING".to_owned())),
        ];
        if demo {
            examples(&mut account);
        }
        let mut state = State::with_account(clock, account);
        let integration = Integration {
            client_id: DEMO_AMOCRM_CLIENT_ID.to_owned(),
            client_secret: DEMO_AMOCRM_CLIENT_SECRET.to_owned(),
            redirect_uri: DEMO_AMOCRM_REDIRECT_URI.to_owned(),
            revoke_uri: None,
            name: "CRM Интегратор".to_owned(),
            scopes: all_scopes(),
        };
        state
            .oauth
            .integrations
            .insert(integration.client_id.clone(), integration);
        for (text, user_id) in [
            (DEMO_AMOCRM_TOKEN, USER_ANNA),
            (DEMO_AMOCRM_MEMBER_TOKEN, USER_IVAN),
        ] {
            let token = Token {
                client_id: DEMO_AMOCRM_CLIENT_ID.to_owned(),
                account_id: DEMO_AMOCRM_ACCOUNT,
                user_id,
                expires_at: FAR,
                scopes: all_scopes(),
                pair: None,
            };
            state.oauth.put_token(text, token);
        }
        state
    }
}

fn people(account: &mut Account) {
    for (id, name, email, is_admin, is_active) in [
        (USER_ANNA, "Анна Смирнова", "anna@example.com", true, true),
        (USER_IVAN, "Иван Петров", "ivan@example.com", false, true),
        (USER_OLGA, "Ольга Кузнецова", "olga@example.com", false, false),
    ] {
        account.users.push(User {
            id,
            name: name.to_owned(),
            email: email.to_owned(),
            is_admin,
            is_active,
        });
    }
}

fn pipelines(account: &mut Account) {
    let mut sales = Pipeline {
        id: PIPELINE_SALES,
        name: "Продажи".to_owned(),
        sort: 1,
        is_main: true,
        is_unsorted_on: true,
        statuses: system_statuses(STATUS_UNSORTED),
    };
    for (id, name, color) in [
        (STATUS_NEW, "Новая заявка", "#98cbff"),
        (STATUS_QUALIFICATION, "Квалификация", "#fffeb2"),
        (STATUS_TO_CALL, "Передано в обзвон", "#ffdc7f"),
        (STATUS_CONFIRMED, "Подтверждён", "#87f2c0"),
        (STATUS_NO_ANSWER, "Недозвон", "#ffc8c8"),
    ] {
        sales.insert_status(id, name, color);
    }
    let mut repeat = Pipeline {
        id: PIPELINE_REPEAT,
        name: "Повторные продажи".to_owned(),
        sort: 2,
        is_main: false,
        is_unsorted_on: false,
        statuses: system_statuses(STATUS_REPEAT_UNSORTED),
    };
    repeat.insert_status(STATUS_REPEAT_NEW, "Новое обращение", "#ccc8f9");
    repeat.insert_status(STATUS_REPEAT_OFFER, "Предложение", "#ffce5a");
    account.pipelines = vec![sales, repeat];
}

fn predefined(id: i64, kind: Kind, name: &str, field_type: &str, code: &str, sort: i64) -> Field {
    let mut field = Field::new(id, kind, name, field_type, sort);
    field.code = Some(code.to_owned());
    field.is_predefined = true;
    field
}

fn kinds(first: i64, names: &[&str]) -> Vec<Choice> {
    let choice = |(index, name): (usize, &&str)| Choice {
        id: first + 2 * index as i64,
        value: (*name).to_owned(),
        sort: 2 * (index as i64 + 1),
        code: None,
    };
    names.iter().enumerate().map(choice).collect()
}

fn contact_fields(account: &mut Account) {
    const PHONES: [&str; 6] = ["WORK", "WORKDD", "MOB", "FAX", "HOME", "OTHER"];
    const EMAILS: [&str; 3] = ["WORK", "PRIV", "OTHER"];
    account.fields.push(predefined(
        FIELD_POSITION,
        Kind::Contact,
        "Должность",
        "text",
        "POSITION",
        2,
    ));
    let mut phone = predefined(FIELD_PHONE, Kind::Contact, "Телефон", "multitext", "PHONE", 4);
    phone.enums = kinds(ENUM_PHONE_WORK, &PHONES);
    let mut email = predefined(FIELD_EMAIL, Kind::Contact, "Email", "multitext", "EMAIL", 6);
    email.enums = kinds(ENUM_EMAIL_WORK, &EMAILS);
    let mut company_phone = predefined(
        FIELD_COMPANY_PHONE,
        Kind::Company,
        "Телефон",
        "multitext",
        "PHONE",
        4,
    );
    company_phone.enums = kinds(718_341, &PHONES);
    let mut company_email = predefined(735_663, Kind::Company, "Email", "multitext", "EMAIL", 6);
    company_email.enums = kinds(718_355, &EMAILS);
    account
        .fields
        .extend([phone, email, company_phone, company_email]);
    account
        .fields
        .push(predefined(735_665, Kind::Company, "Сайт", "url", "WEB", 8));
    account.fields.push(predefined(
        735_667,
        Kind::Company,
        "Адрес",
        "textarea",
        "ADDRESS",
        10,
    ));
}

fn choices(first: i64, names: &[&str]) -> Vec<Choice> {
    let choice = |(index, name): (usize, &&str)| Choice {
        id: first + index as i64,
        value: (*name).to_owned(),
        sort: index as i64 + 1,
        code: None,
    };
    names.iter().enumerate().map(choice).collect()
}

fn lead_fields(account: &mut Account) {
    let results = [
        "Заинтересован",
        "Не интересует",
        "Не отвечает",
        "Недозвон",
        "Отказ",
        "Перезвонить позже",
    ];
    let sources = ["Сайт", "Звонок", "Реклама", "Рекомендация"];
    let products = ["CRM", "Телефония", "Чат-бот"];
    for (id, name, field_type, enums) in [
        (
            FIELD_SOURCE,
            "Источник",
            "select",
            choices(ENUM_SOURCE_SITE, &sources),
        ),
        (FIELD_BUDGET, "Бюджет рекламы", "numeric", Vec::new()),
        (FIELD_CITY, "Город", "text", Vec::new()),
        (FIELD_LPTRACKER_ID, "ID лида LPTracker", "text", Vec::new()),
        (
            FIELD_CALL_RESULT,
            "Результат звонка",
            "select",
            choices(ENUM_RESULT_INTERESTED, &results),
        ),
        (
            FIELD_PRODUCT_TAGS,
            "Теги продукта",
            "multiselect",
            choices(ENUM_PRODUCT_CRM, &products),
        ),
        (FIELD_CALL_DATE, "Дата звонка", "date_time", Vec::new()),
        (
            FIELD_CONSENT,
            "Согласие на обработку данных",
            "checkbox",
            Vec::new(),
        ),
    ] {
        let mut field = Field::new(id, Kind::Lead, name, field_type, 500 + id - FIELD_SOURCE);
        field.enums = enums;
        account.fields.push(field);
    }
    for (index, code) in ["UTM_SOURCE", "UTM_MEDIUM", "UTM_CAMPAIGN"]
        .into_iter()
        .enumerate()
    {
        let name = code.to_lowercase();
        let id = 740_021 + index as i64;
        account.fields.push(predefined(
            id,
            Kind::Lead,
            &name,
            "tracking_data",
            code,
            600 + index as i64,
        ));
    }
}

/// A person, a phone and perhaps a deal.
type Example = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<(&'static str, i64, i64)>,
);

const EXAMPLES: [Example; 5] = [
    (
        "Мария",
        "Иванова",
        "+79161234501",
        "maria@example.com",
        Some(("Подключение телефонии", 45_000, STATUS_NEW)),
    ),
    (
        "Пётр",
        "Сидоров",
        "8 (916) 123-45-02",
        "petr@example.com",
        Some(("Внедрение CRM", 120_000, STATUS_QUALIFICATION)),
    ),
    (
        "Елена",
        "Козлова",
        "+7 916 123 45 03",
        "elena@example.com",
        Some(("Чат-бот для сайта", 60_000, STATUS_TO_CALL)),
    ),
    (
        "Алексей",
        "Морозов",
        "79161234504",
        "alex@example.com",
        Some(("Обучение отдела", 30_000, STATUS_WON)),
    ),
    ("Наталья", "Волкова", "+79161234505", "natalia@example.com", None),
];

fn examples(account: &mut Account) {
    let now = account.now();
    let company = account.next(Kind::Company.plural());
    let mut romashka = Entity::new(Kind::Company, company);
    romashka.name = "ООО «Ромашка»".to_owned();
    stamp(&mut romashka, now - 86_400);
    account.insert(romashka);
    for (index, (first, last, phone, email, deal)) in EXAMPLES.into_iter().enumerate() {
        let at = now - 86_400 + 600 * index as i64;
        let contact = account.next(Kind::Contact.plural());
        let mut person = Entity::new(Kind::Contact, contact);
        (person.first_name, person.last_name) = (first.to_owned(), last.to_owned());
        person.name = format!("{first} {last}");
        stamp(&mut person, at);
        let kind = |value: &str, id: i64| json!({"value": value, "enum_id": id, "enum_code": "WORK"});
        person
            .values
            .insert(FIELD_PHONE, vec![kind(phone, ENUM_PHONE_WORK)]);
        person
            .values
            .insert(FIELD_EMAIL, vec![kind(email, ENUM_EMAIL_WORK)]);
        account.insert(person);
        if index == 0 {
            account.join((Kind::Contact, contact), (Kind::Company, company), false);
        }
        let Some((name, price, status)) = deal else {
            continue;
        };
        let id = account.next(Kind::Lead.plural());
        let mut lead = Entity::new(Kind::Lead, id);
        lead.name = name.to_owned();
        lead.price_minor = price * 100;
        (lead.pipeline_id, lead.status_id) = (PIPELINE_SALES, status);
        lead.closed_at = (status == STATUS_WON).then_some(at);
        stamp(&mut lead, at);
        let source = json!({"value": "Сайт", "enum_id": ENUM_SOURCE_SITE, "enum_code": null});
        lead.values.insert(FIELD_SOURCE, vec![source]);
        lead.values.insert(FIELD_CITY, vec![json!({"value": "Москва"})]);
        account.insert(lead);
        account.join((Kind::Lead, id), (Kind::Contact, contact), true);
        if index == 0 {
            account.join((Kind::Lead, id), (Kind::Company, company), false);
        }
    }
}

fn stamp(entity: &mut Entity, at: i64) {
    entity.responsible_user_id = USER_IVAN;
    (entity.created_by, entity.updated_by) = (USER_IVAN, USER_IVAN);
    (entity.created_at, entity.updated_at) = (at, at);
}
