//! The demo account: two projects, a funnel for robot calls, fields, staff and a few leads.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::{
    Account, Autofunnel, Category, Contact, ContactField, Detail, Field, FieldKind, Lead, Project, Staff,
    Step, View,
};
use super::state::{IdKind, State};
use super::{
    DEMO_LPTRACKER_FIELD_AMOCRM_ID, DEMO_LPTRACKER_FIELD_BUDGET, DEMO_LPTRACKER_FIELD_CALL_DATE,
    DEMO_LPTRACKER_FIELD_CITY, DEMO_LPTRACKER_FIELD_FILE, DEMO_LPTRACKER_FIELD_FUNNEL,
    DEMO_LPTRACKER_FIELD_OWNER, DEMO_LPTRACKER_FIELD_PRODUCTS, DEMO_LPTRACKER_FIELD_SOURCE,
    DEMO_LPTRACKER_FIELD_STEP_DATE, DEMO_LPTRACKER_LOGIN, DEMO_LPTRACKER_PASSWORD, DEMO_LPTRACKER_PROJECT,
    DEMO_LPTRACKER_SECOND_PROJECT, DEMO_LPTRACKER_STAFF_ANNA, DEMO_LPTRACKER_STAFF_IGOR,
    DEMO_LPTRACKER_STEP_CALL_BACK, DEMO_LPTRACKER_STEP_INTEREST, DEMO_LPTRACKER_STEP_NEW,
    DEMO_LPTRACKER_STEP_NO_ANSWER, DEMO_LPTRACKER_STEP_PAYMENT, DEMO_LPTRACKER_STEP_REFUSED,
    DEMO_LPTRACKER_STEP_ROBOT, STEP_INTEREST_NAME,
};
use crate::clock::Clock;

const MINUTE_MS: i64 = 60_000;

impl State {
    /// The state after a reset: the demo account with its projects, and in demo mode some leads.
    pub fn seeded(clock: &Clock, demo: bool) -> State {
        let mut state = State {
            clock: clock.clone(),
            ..State::default()
        };
        state.seed_account();
        if demo {
            state.seed_leads();
        }
        state
    }

    /// The demo account with leads, on a clock of its own.
    pub fn demo() -> State {
        State::seeded(&Clock::default(), true)
    }

    fn seed_account(&mut self) {
        let login = DEMO_LPTRACKER_LOGIN.to_owned();
        self.accounts.push(Account {
            login: login.clone(),
            password: DEMO_LPTRACKER_PASSWORD.to_owned(),
        });
        let now = self.clock.now();
        let people = [
            (0, "Главный аккаунт", "", 1_600_000_000),
            (
                DEMO_LPTRACKER_STAFF_ANNA,
                "Анна Смирнова",
                "Менеджер",
                1_650_000_000,
            ),
            (
                DEMO_LPTRACKER_STAFF_IGOR,
                "Игорь Петров",
                "Старший менеджер",
                1_660_000_000,
            ),
        ];
        self.staff = people
            .into_iter()
            .map(|(id, name, job, created_at)| Staff {
                account: login.clone(),
                id,
                name: name.to_owned(),
                job: job.to_owned(),
                created_at,
                last_login_at: now - 3_600,
            })
            .collect();
        self.projects = vec![first_project(&login), second_project(&login)];
    }

    fn seed_leads(&mut self) {
        let leads = [
            (
                "Ремонт квартиры",
                "Мария Кузнецова",
                "79990001101",
                DEMO_LPTRACKER_STEP_NEW,
                "Сайт",
                190,
            ),
            (
                "Дизайн-проект",
                "Олег Васильев",
                "79990001102",
                DEMO_LPTRACKER_STEP_INTEREST,
                "Авито",
                125,
            ),
            (
                "Остекление балкона",
                "Елена Орлова",
                "79990001103",
                DEMO_LPTRACKER_STEP_NO_ANSWER,
                "Сайт",
                80,
            ),
            (
                "Замена окон",
                "Павел Зайцев",
                "79990001104",
                DEMO_LPTRACKER_STEP_CALL_BACK,
                "Рекомендация",
                35,
            ),
        ];
        for (name, person, phone, step_id, source, minutes_ago) in leads {
            let created_ms = self.clock.now_ms() - minutes_ago * MINUTE_MS;
            let contact_id = self.ids.next(IdKind::Contact);
            let detail = Detail {
                id: self.ids.next(IdKind::Detail),
                kind: "phone".to_owned(),
                data: phone.to_owned(),
            };
            self.contacts.insert(
                contact_id,
                Contact {
                    id: contact_id,
                    project_id: DEMO_LPTRACKER_PROJECT,
                    name: person.to_owned(),
                    profession: String::new(),
                    site: String::new(),
                    details: vec![detail],
                    fields: BTreeMap::from([(CONTACT_FIELD_REGION, "Краснодар".to_owned())]),
                    created_ms,
                },
            );
            let view_id = self.ids.next(IdKind::View);
            let attributes = BTreeMap::from([("source".to_owned(), json!("yandex"))]);
            self.views.insert(
                view_id,
                View {
                    id: view_id,
                    project_id: DEMO_LPTRACKER_PROJECT,
                    attributes,
                },
            );
            let id = self.ids.next(IdKind::Lead);
            let custom: BTreeMap<i64, Value> = BTreeMap::from([
                (DEMO_LPTRACKER_FIELD_CITY, json!("Краснодар")),
                (DEMO_LPTRACKER_FIELD_SOURCE, json!([source])),
            ]);
            self.leads.insert(
                id,
                Lead {
                    id,
                    project_id: DEMO_LPTRACKER_PROJECT,
                    contact_id,
                    name: name.to_owned(),
                    step_id,
                    owner_id: DEMO_LPTRACKER_STAFF_ANNA,
                    deal: false,
                    capture: "manual",
                    created_ms,
                    born_ms: created_ms,
                    updated_ms: created_ms,
                    view_id: Some(view_id),
                    custom,
                    payments: Vec::new(),
                    comments: Vec::new(),
                    calls: Vec::new(),
                    files: Vec::new(),
                },
            );
        }
    }
}

const CONTACT_FIELD_REGION: i64 = 40_112;

fn first_project(login: &str) -> Project {
    let steps = vec![
        step(DEMO_LPTRACKER_STEP_NEW, "Новый лид", true),
        step(DEMO_LPTRACKER_STEP_ROBOT, "Обзвон роботом", false),
        step(DEMO_LPTRACKER_STEP_INTEREST, STEP_INTEREST_NAME, true),
        step(DEMO_LPTRACKER_STEP_NO_ANSWER, "Недозвон", false),
        step(DEMO_LPTRACKER_STEP_CALL_BACK, "Перезвонить", true),
        step(DEMO_LPTRACKER_STEP_REFUSED, "Отказ", false),
        payment_step(DEMO_LPTRACKER_STEP_PAYMENT),
    ];
    let fields = vec![
        field(DEMO_LPTRACKER_FIELD_OWNER, "Владелец заявки", FieldKind::Owner),
        field(DEMO_LPTRACKER_FIELD_FUNNEL, "Шаг воронки", FieldKind::Funnel),
        field(DEMO_LPTRACKER_FIELD_STEP_DATE, "Дата шага", FieldKind::FunnelDate),
        field(
            DEMO_LPTRACKER_FIELD_AMOCRM_ID,
            "ID сделки amoCRM",
            FieldKind::Text,
        ),
        field(DEMO_LPTRACKER_FIELD_CITY, "Город", FieldKind::Text),
        field(DEMO_LPTRACKER_FIELD_BUDGET, "Бюджет", FieldKind::Text),
        choice(
            DEMO_LPTRACKER_FIELD_SOURCE,
            "Источник",
            false,
            &["Сайт", "Авито", "Рекомендация", "amoCRM"],
        ),
        choice(
            DEMO_LPTRACKER_FIELD_PRODUCTS,
            "Продукты",
            true,
            &["Окна", "Двери", "Балкон", "Ремонт"],
        ),
        field(DEMO_LPTRACKER_FIELD_CALL_DATE, "Дата звонка", FieldKind::Date),
        field(DEMO_LPTRACKER_FIELD_FILE, "Договор", FieldKind::File),
    ];
    Project {
        id: DEMO_LPTRACKER_PROJECT,
        account: login.to_owned(),
        name: "Обзвон заявок".to_owned(),
        page: "https://calls.example.ru/".to_owned(),
        domain: "calls.example.ru".to_owned(),
        steps,
        fields,
        contact_fields: contact_fields(CONTACT_FIELD_REGION),
        autofunnels: vec![Autofunnel {
            id: 41_870,
            name: "Обзвон роботом".to_owned(),
            step_id: DEMO_LPTRACKER_STEP_ROBOT,
            active: true,
        }],
        ..Project::default()
    }
}

fn second_project(login: &str) -> Project {
    Project {
        id: DEMO_LPTRACKER_SECOND_PROJECT,
        account: login.to_owned(),
        name: "Второй проект".to_owned(),
        page: "https://second.example.ru/".to_owned(),
        domain: "second.example.ru".to_owned(),
        steps: vec![
            step(1_702_411, "Новый лид", true),
            // Names typed by people carry signs and stray spaces; clients must cope.
            step(1_702_412, "⚙️ Лид с  робота ", false),
            step(1_702_413, "Отказ", false),
            payment_step(1_702_419),
        ],
        fields: vec![
            field(1_934_001, "Владелец заявки", FieldKind::Owner),
            field(1_934_002, "Шаг воронки", FieldKind::Funnel),
            field(1_934_003, "ID сделки amoCRM", FieldKind::Text),
            choice(1_934_004, "Источник", false, &["Сайт", "Звонок"]),
        ],
        contact_fields: contact_fields(40_212),
        ..Project::default()
    }
}

fn step(id: i64, name: &str, notify: bool) -> Step {
    Step {
        id,
        name: name.to_owned(),
        notify,
        in_leads: true,
        in_deals: false,
        payment: false,
    }
}

fn payment_step(id: i64) -> Step {
    Step {
        id,
        name: "Оплата".to_owned(),
        notify: true,
        in_leads: false,
        in_deals: true,
        payment: true,
    }
}

fn field(id: i64, name: &str, kind: FieldKind) -> Field {
    Field {
        id,
        name: name.to_owned(),
        kind,
        multi: false,
        categories: Vec::new(),
        required: false,
        description: String::new(),
    }
}

fn choice(id: i64, name: &str, multi: bool, names: &[&str]) -> Field {
    let colors = ["#4caf50", "#2196f3", "#ff9800", "#9c27b0"];
    // Ids of seeded categories hang on the field's so that they never meet the counted ones.
    let categories = names
        .iter()
        .zip(1..)
        .map(|(name, number)| Category {
            id: id * 10 + number,
            name: (*name).to_owned(),
            color: (!multi).then(|| colors[names.len() % colors.len()].to_owned()),
        })
        .collect();
    Field {
        multi,
        categories,
        ..field(id, name, FieldKind::Cats)
    }
}

fn contact_fields(first: i64) -> Vec<ContactField> {
    [
        ("Регион", "string"),
        ("Комментарий", "text"),
        ("Дата рождения", "date"),
        ("Возраст", "number"),
    ]
    .into_iter()
    .zip(first..)
    .map(|((name, kind), id)| ContactField {
        id,
        name: name.to_owned(),
        kind: kind.to_owned(),
    })
    .collect()
}
