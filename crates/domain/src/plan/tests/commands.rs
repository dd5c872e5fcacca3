use super::*;

#[test]
fn an_upsert_splits_record_and_contact() {
    let lines = vec![
        line(Lead, "name", from("deal.name"), vec![]),
        line(
            LeadContact,
            "phone",
            from("contact.phone"),
            vec![Conversion::Phone],
        ),
        line(LeadContact, "name", from("contact.name"), vec![]),
        MappingLine {
            mode: WriteMode::FillEmpty,
            ..line(Lead, "cf.1", from("deal.cf.1"), vec![])
        },
    ];
    let evaluation = applied(vec![card(upsert(lines))], &facts());
    assert_eq!(evaluation.notes, []);
    let command = &evaluation.commands[0];
    assert_eq!((command.action, command.connection), (0, Some(LPT)));
    let Operation::Upsert(upsert) = &command.operation else {
        panic!("an upsert")
    };
    let keys = |list: &[FieldWrite]| list.iter().map(|write| write.key.to_string()).collect::<Vec<_>>();
    assert_eq!(keys(&upsert.fields), ["name", "cf.1"]);
    assert_eq!(keys(&upsert.contact), ["phone", "name"]);
    assert_eq!(upsert.fields[1].mode, WriteMode::FillEmpty);
    assert_eq!(upsert.stage, Some(STEP));
    assert_eq!(
        upsert.search,
        Search {
            order: vec![MatchBy::Link, MatchBy::Phone],
            ..Search::default()
        }
    );
}

#[test]
fn tags_of_an_upsert_are_known_by_id() {
    let lines = vec![line(Deal, "tags", from("deal.tags"), vec![])];
    let action = Action::Upsert {
        kind: Deal,
        order: vec![MatchBy::Link],
        pick: Pick::default(),
        if_none: IfNone::Create,
        if_found: IfFound::Update,
        mapping: lines,
        stage: Some(NEW),
        responsible: Some(7),
        tags: vec![Choice::new(31, "vip")],
    };
    let evaluation = applied(vec![card(action)], &facts());
    let Operation::Upsert(upsert) = &evaluation.commands[0].operation else {
        panic!("an upsert")
    };
    assert_eq!(upsert.tags, [Choice::new(31, "vip"), Choice::named("сайт")]);
}

#[test]
fn the_last_of_two_lines_wins() {
    let lines = vec![
        line(Lead, "name", from("deal.name"), vec![]),
        line(Lead, "name", from("contact.name"), vec![]),
    ];
    let evaluation = applied(vec![card(upsert(lines))], &facts());
    let Operation::Upsert(upsert) = &evaluation.commands[0].operation else {
        panic!("an upsert")
    };
    assert_eq!(upsert.fields.len(), 1);
    assert_eq!(upsert.fields[0].value, Value::text("Пётр Ёлкин"));
}

#[test]
fn simple_actions_become_commands() {
    let constant = |text: &str| Expression::Constant(Value::text(text));
    let actions = vec![
        card(Action::Move {
            target: Of::Linked,
            stage: CALLED,
            loss_reason: None,
        }),
        card(Action::SetResponsible {
            target: Of::Trigger,
            user: Expression::Constant(Value::User(8)),
        }),
        card(Action::ChangeTags {
            target: Of::Trigger,
            add: vec![template("город {{deal.cf.1 | trim}}"), from("contact.cf.20")],
            remove: vec![from("deal.cf.7")],
        }),
        note("Было: {{before.deal.stage}}, стало: {{deal.stage}}"),
        card(Action::AddTask {
            target: Of::Trigger,
            text: constant("Позвонить"),
            task_type: Some(1),
            due_in_minutes: 90,
            responsible: Some(7),
        }),
        card(Action::AddPayment {
            target: Of::Linked,
            category: constant("Оплата"),
            purpose: constant("Договор"),
            sum: from("deal.price"),
        }),
        card(Action::SendWebhook {
            url: "https://example.org".to_owned(),
            body: vec![
                ("price".to_owned(), from("deal.price")),
                ("tags".to_owned(), from("deal.tags")),
                ("stage".to_owned(), from("deal.stage")),
                ("none".to_owned(), from("lead.name")),
                ("yes".to_owned(), from("deal.cf.5")),
            ],
        }),
        card(Action::Notify {
            channel: NotifyChannel::Telegram,
            to: " 42 ".to_owned(),
            text: template("{{deal.price | money}}"),
        }),
    ];
    let evaluation = applied(actions, &facts());
    assert_eq!(evaluation.notes, []);
    let operations: Vec<&Operation> = evaluation
        .commands
        .iter()
        .map(|command| &command.operation)
        .collect();
    let connections: Vec<_> = evaluation
        .commands
        .iter()
        .map(|command| command.connection)
        .collect();
    assert_eq!(
        connections,
        [
            Some(LPT),
            Some(AMO),
            Some(AMO),
            Some(AMO),
            Some(AMO),
            Some(LPT),
            None,
            None
        ]
    );
    assert_eq!(
        *operations[0],
        Operation::Move {
            target: Of::Linked,
            stage: CALLED,
            loss_reason: None
        }
    );
    assert_eq!(
        *operations[1],
        Operation::SetResponsible {
            target: Of::Trigger,
            user: 8
        }
    );
    assert_eq!(
        *operations[2],
        Operation::ChangeTags {
            target: Of::Trigger,
            add: vec![Choice::named("город Санкт-Петербург")],
            remove: vec![Choice::new(71, "Дом"), Choice::new(73, "Сад")],
        }
    );
    assert_eq!(
        *operations[3],
        Operation::AddNote {
            target: Of::Trigger,
            text: "Было: Новая, стало: Переговоры".to_owned()
        }
    );
    let Operation::AddTask { task, .. } = operations[4] else {
        panic!("a task")
    };
    assert_eq!(
        (task.deadline, task.task_type),
        (Timestamp(NOW.0 + 90 * 60_000), Some(1))
    );
    let Operation::AddPayment { payment, .. } = operations[5] else {
        panic!("a payment")
    };
    assert_eq!(payment.sum, 90_000.into());
    let Operation::SendWebhook { body, .. } = operations[6] else {
        panic!("a webhook")
    };
    assert_eq!(
        *body,
        serde_json::json!({"price": 90000, "tags": ["vip", "сайт"], "stage": "Переговоры", "none": null, "yes": false})
    );
    let Operation::Notify { to, text, .. } = operations[7] else {
        panic!("a message")
    };
    assert_eq!((to.as_str(), text.as_str()), ("42", "90\u{a0}000"));
}

#[test]
fn stop_ends_the_list_and_switched_off_cards_do_nothing() {
    let off = ActionCard {
        enabled: false,
        ..note("a")
    };
    let stop = card(Action::Stop {
        reason: "хватит".to_owned(),
    });
    let evaluation = applied(vec![off, note("b"), stop, note("c")], &facts());
    assert_eq!(
        evaluation
            .commands
            .iter()
            .map(|command| command.action)
            .collect::<Vec<_>>(),
        [1]
    );
    assert_eq!(
        evaluation.notes,
        [Note {
            action: 2,
            text: "Правило остановлено: хватит".to_owned()
        }]
    );
}

#[test]
fn texts_without_content_are_left_out() {
    let evaluation = applied(vec![note("{{contact.cf.20}}"), note("{{lead.name}}")], &facts());
    assert!(evaluation.commands.is_empty());
    assert_eq!(evaluation.notes.len(), 2);
}

/// A call of LPTracker's lead, seen from LPTracker's side.
fn call() -> (Rule, Facts) {
    let mut rule = rule(Condition::default(), Vec::new());
    rule.source = LPT;
    rule.triggers = vec![Trigger::on(EventKind::CallFinished)];
    let record = Record::new(RecordKind::Call, "c-1")
        .with(
            SystemField::Phone,
            Value::Texts(vec!["8 912 345-67-89".to_owned()]),
        )
        .with(SystemField::Duration, number("65"))
        .with(SystemField::Direction, Value::Choice(Choice::named("incoming")))
        .with(SystemField::Result, Value::Choice(Choice::named("Заинтересован")))
        .with(SystemField::Recording, Value::text("https://example.org/r.mp3"))
        .with(SystemField::At, Value::Instant(NOW));
    let facts = Facts {
        kind: EventKind::CallFinished,
        key: RecordKey::new(RecordKind::Call, "c-1"),
        records: vec![KnownRecord {
            record,
            source: Source::Event,
            at: NOW,
        }],
        before: Vec::new(),
        ..facts()
    };
    (rule, facts)
}

#[test]
fn a_call_is_logged_with_its_own_fields() {
    let (mut rule, facts) = call();
    rule.actions = vec![
        card(Action::LogCall {
            target: Of::Linked,
            phone: None,
            duration: None,
            recording: None,
            result: None,
        }),
        card(Action::SaveCallResult {
            phone: from("call.phone"),
            result: from("call.result"),
            comment: None,
        }),
    ];
    let evaluation = applied_rule(&rule, &facts);
    let Operation::LogCall { call, .. } = &evaluation.commands[0].operation else {
        panic!("a call")
    };
    assert_eq!(
        *call,
        NewCall {
            incoming: true,
            phone: "+79123456789".to_owned(),
            duration: 65,
            recording: Some("https://example.org/r.mp3".to_owned()),
            result: Some("Заинтересован".to_owned()),
            unique: Some("c-1".to_owned()),
            at: Some(NOW),
        }
    );
    assert_eq!(evaluation.commands[0].connection, Some(AMO));
    let Operation::SaveCallResult { result } = &evaluation.commands[1].operation else {
        panic!("a result")
    };
    assert_eq!(
        (result.phone.as_str(), result.result.as_str(), result.duration),
        ("+79123456789", "Заинтересован", Some(65))
    );
}

#[test]
fn a_field_that_went_after_publishing_leaves_its_line_out() {
    let lines = vec![
        line(Lead, "name", from("deal.name"), vec![]),
        line(
            Lead,
            "cf.1",
            Expression::Field(FieldPath::now(Deal, FieldKey::Custom(99))),
            vec![],
        ),
        line(Lead, "cf.98", from("deal.name"), vec![]),
    ];
    let (compiled, found) = compile(
        &rule(Condition::default(), vec![card(upsert(lines))]),
        &catalogues(),
    );
    assert_eq!(found.iter().filter(|one| one.is_gone()).count(), 2);
    let evaluation = evaluate(&compiled, &facts());
    let Operation::Upsert(upsert) = &evaluation.commands[0].operation else {
        panic!("an upsert")
    };
    assert_eq!(upsert.fields.len(), 1);
    assert_eq!(
        evaluation.notes[0].text,
        "Поле «Город» оставлено как есть: источник составлен с ошибкой"
    );
}

#[test]
fn a_contact_has_no_stage_to_move() {
    let mut rule = rule(
        Condition::default(),
        vec![card(Action::Move {
            target: Of::Trigger,
            stage: TALKS,
            loss_reason: None,
        })],
    );
    rule.triggers.push(Trigger::on(EventKind::ContactUpdated));
    let contact = Facts {
        kind: EventKind::ContactUpdated,
        key: RecordKey::new(Contact, 88),
        ..facts()
    };
    let evaluation = applied_rule(&rule, &contact);
    assert!(evaluation.commands.is_empty());
    assert_eq!(
        evaluation.notes[0].text,
        "Этап не изменён: у записи «Контакт» нет этапов"
    );
}

#[test]
fn a_day_that_does_not_exist_is_told() {
    let mut wrong = facts();
    let day = crate::value::Day {
        year: 2026,
        month: 2,
        day: 31,
    };
    wrong.records[0].record.set(FieldKey::Custom(4), Value::Day(day));
    wrong.before = vec![(
        SystemField::Stage.into(),
        Value::Stage(Stage {
            pipeline: 0,
            status: 0,
        }),
    )];
    let lines = line(
        Lead,
        "cf.1",
        from("deal.cf.4"),
        vec![Conversion::DateFormat("d.m.Y".to_owned())],
    );
    assert!(
        written(lines, &wrong)
            .expect_err("no such day")
            .contains("нет в календаре")
    );
}

#[test]
fn a_table_moves_the_linked_record() {
    let update = |field: &str, from, to: (Value, Value)| {
        let table = Conversion::Options {
            table: vec![to],
            default: None,
        };
        card(Action::Update {
            target: Of::Linked,
            mapping: vec![line(Lead, field, from, vec![table])],
        })
    };
    let evaluation = applied(
        vec![
            update(
                "stage",
                from("deal.stage"),
                (Value::Stage(TALKS), Value::Stage(CALLED)),
            ),
            update(
                "responsible",
                from("deal.responsible"),
                (Value::User(7), Value::User(70)),
            ),
        ],
        &facts(),
    );
    let operations: Vec<&Operation> = evaluation
        .commands
        .iter()
        .map(|command| &command.operation)
        .collect();
    assert_eq!(
        operations,
        [
            &Operation::Move {
                target: Of::Linked,
                stage: CALLED,
                loss_reason: None
            },
            &Operation::SetResponsible {
                target: Of::Linked,
                user: 70
            },
        ]
    );
}
