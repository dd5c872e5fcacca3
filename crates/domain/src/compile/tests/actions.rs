use super::*;

#[test]
fn actions_are_checked() {
    check(
        &rule(Condition::default(), Vec::new()),
        &[("/actions", "no_actions")],
    );
    let off = ActionCard {
        enabled: false,
        ..note("{{deal.cf.99}}")
    };
    let found = diagnostics(&rule(Condition::default(), vec![off.clone(), note("x")]));
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].severity, found[0].code.as_str()),
        (Severity::Warning, "gone_field")
    );
    assert_eq!(found[0].pointer, "/actions/0/text/template");
    check_action(
        Action::StartCall { target: Of::Linked },
        &[("/actions/0", "starts_call")],
    );
    check_action(
        Action::StartCall { target: Of::Trigger },
        &[("/actions/0", "not_offered"), ("/actions/0", "starts_call")],
    );
    check(
        &rule(
            Condition::default(),
            vec![
                note("x"),
                card(Action::Stop {
                    reason: String::new(),
                }),
                note("y"),
            ],
        ),
        &[("/actions/2", "after_stop")],
    );
    check_action(
        Action::Move {
            target: Of::Trigger,
            stage: TALKS,
            loss_reason: None,
        },
        &[],
    );
    check_action(
        Action::Move {
            target: Of::Linked,
            stage: CALLED,
            loss_reason: None,
        },
        &[],
    );
    check_action(
        Action::Move {
            target: Of::Linked,
            stage: TALKS,
            loss_reason: None,
        },
        &[("/actions/0/stage", "gone_stage")],
    );
    check_action(
        Action::Move {
            target: Of::Trigger,
            stage: LOST,
            loss_reason: Some(41),
        },
        &[],
    );
    check_action(
        Action::Move {
            target: Of::Trigger,
            stage: TALKS,
            loss_reason: Some(41),
        },
        &[("/actions/0/loss_reason", "loss_reason_stage")],
    );
    check_action(
        Action::Move {
            target: Of::Trigger,
            stage: LOST,
            loss_reason: Some(9),
        },
        &[("/actions/0/loss_reason", "gone_loss_reason")],
    );
    let user = |user| Action::SetResponsible {
        target: Of::Trigger,
        user,
    };
    check_action(user(Expression::Constant(Value::User(8))), &[]);
    check_action(
        user(Expression::Constant(Value::User(9))),
        &[("/actions/0/user", "gone_user")],
    );
    check_action(
        user(Expression::Constant(Value::text("Анна"))),
        &[("/actions/0/user", "type_mismatch")],
    );
    check_action(
        user(from("lead.responsible")),
        &[("/actions/0/user", "other_crm")],
    );
    check_action(user(from("deal.created_by")), &[]);
    let task = |task_type, responsible, due_in_minutes| Action::AddTask {
        target: Of::Trigger,
        text: Expression::Template("Позвонить {{contact.name}}".to_owned()),
        task_type,
        due_in_minutes,
        responsible,
    };
    check_action(task(Some(1), Some(7), 60), &[]);
    check_action(
        task(Some(5), Some(5), -1),
        &[
            ("/actions/0/due_in_minutes", "due_limit"),
            ("/actions/0/task_type", "gone_task_type"),
            ("/actions/0/responsible", "gone_user"),
        ],
    );
    check_action(
        Action::SendWebhook {
            url: "ftp://x".to_owned(),
            body: vec![
                ("a".to_owned(), from("deal.name")),
                ("a".to_owned(), from("deal.name")),
            ],
        },
        &[
            ("/actions/0/url", "wrong_url"),
            ("/actions/0/body/1/0", "duplicate_name"),
        ],
    );
    check_action(
        Action::Notify {
            channel: NotifyChannel::Email,
            to: "я".to_owned(),
            text: Expression::Template("{{deal.name".to_owned()),
        },
        &[
            ("/actions/0/to", "wrong_address"),
            ("/actions/0/text/template", "template"),
        ],
    );
    let call = Action::LogCall {
        target: Of::Trigger,
        phone: None,
        duration: None,
        recording: None,
        result: None,
    };
    check_action(call, &[("/actions/0/phone", "no_call")]);
    let payment = |sum| Action::AddPayment {
        target: Of::Linked,
        category: Expression::Constant(Value::text("Оплата")),
        purpose: Expression::Constant(Value::text("Договор")),
        sum,
    };
    check_action(payment(from("deal.price")), &[]);
    check_action(payment(from("deal.name")), &[("/actions/0/sum", "type_mismatch")]);
    let tags = |add| Action::ChangeTags {
        target: Of::Trigger,
        add,
        remove: Vec::new(),
    };
    check_action(
        tags(vec![
            Expression::Template("{{deal.cf.1}}".to_owned()),
            from("deal.cf.7"),
        ]),
        &[],
    );
    check_action(tags(Vec::new()), &[("/actions/0", "no_tags")]);
    check_action(
        tags(vec![from("deal.price")]),
        &[("/actions/0/add/0", "type_mismatch")],
    );
}

#[test]
fn connections_of_actions_are_checked() {
    let other = |connection, action| {
        rule(
            Condition::default(),
            vec![ActionCard {
                connection,
                enabled: true,
                action,
            }],
        )
    };
    let add = |target| Action::AddNote {
        target,
        text: Expression::Constant(Value::text("x")),
    };
    check(
        &other(Some(LPT), add(Of::Trigger)),
        &[("/actions/0/connection", "target_connection")],
    );
    check(
        &other(Some(AMO), add(Of::Linked)),
        &[("/actions/0/connection", "target_connection")],
    );
    check(&other(Some(LPT), add(Of::Linked)), &[]);
    let gone = ConnectionId(uuid::Uuid::from_u128(9));
    check(
        &other(Some(gone), add(Of::Linked)),
        &[("/actions/0/connection", "gone_connection")],
    );
    let only_amo = Catalogues::new().with(AMO, crate::connection::ConnectorKind::Amocrm, Default::default());
    let (_, found) = compile(&other(None, add(Of::Linked)), &only_amo);
    assert_eq!(found[0].code, "no_connection");
    let move_contact = Rule {
        triggers: vec![Trigger::on(EventKind::ContactUpdated)],
        ..other(
            None,
            Action::Move {
                target: Of::Trigger,
                stage: TALKS,
                loss_reason: None,
            },
        )
    };
    check(&move_contact, &[("/actions/0/target", "target_record")]);
}
