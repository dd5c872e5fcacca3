use super::*;

pub(super) fn upsert(mapping: Vec<MappingLine>) -> Action {
    Action::Upsert {
        kind: RecordKind::Lead,
        order: vec![MatchBy::Link],
        pick: Pick::default(),
        if_none: IfNone::default(),
        if_found: IfFound::default(),
        mapping,
        stage: Some(STEP),
        responsible: None,
        tags: Vec::new(),
    }
}

#[track_caller]
fn check_line(
    record: RecordKind,
    field: &str,
    from: Expression,
    convert: Vec<Conversion>,
    expect: &[(&str, &str)],
) {
    let expect: Vec<(String, &str)> = expect
        .iter()
        .map(|(place, code)| (format!("/actions/0/mapping/0{place}"), *code))
        .collect();
    let expect: Vec<(&str, &str)> = expect
        .iter()
        .map(|(place, code)| (place.as_str(), *code))
        .collect();
    check_action(upsert(vec![line(record, field, from, convert)]), &expect);
}

#[test]
fn mappings_are_checked_for_type() {
    use RecordKind::{Deal, Lead, LeadContact};
    let table = |to: Value| Conversion::Options {
        table: vec![(Value::text("Сайт"), to)],
        default: None,
    };
    check_line(LeadContact, "phone", from("contact.phone"), vec![], &[]);
    check_line(LeadContact, "name", from("contact.name"), vec![], &[]);
    check_line(Lead, "cf.2", from("deal.price"), vec![], &[]);
    check_line(
        Lead,
        "cf.2",
        from("deal.name"),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(Lead, "cf.2", from("deal.name"), vec![Conversion::Number], &[]);
    check_line(
        Lead,
        "cf.1",
        from("deal.price"),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(Lead, "cf.1", from("deal.price"), vec![Conversion::Text], &[]);
    check_line(
        Lead,
        "cf.1",
        from("deal.created_at"),
        vec![Conversion::DateFormat("d.m.Y".to_owned())],
        &[],
    );
    check_line(
        Lead,
        "cf.1",
        from("deal.created_at"),
        vec![Conversion::DateFormat("Q".to_owned())],
        &[("/convert/0/date_format", "date_format")],
    );
    check_line(
        Lead,
        "cf.1",
        from("contact.phone"),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(Lead, "cf.1", from("contact.phone"), vec![Conversion::First], &[]);
    check_line(Lead, "cf.3", from("deal.cf.6"), vec![], &[]);
    check_line(
        Lead,
        "cf.3",
        from("deal.cf.7"),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(
        Lead,
        "cf.3",
        Expression::Constant(Value::text("Звонок")),
        vec![],
        &[],
    );
    check_line(
        Lead,
        "cf.3",
        Expression::Constant(Value::text("Радио")),
        vec![],
        &[("/from/constant", "gone_option")],
    );
    check_line(
        Lead,
        "cf.3",
        from("deal.cf.6"),
        vec![table(Value::Choice(Choice::named("сайт")))],
        &[],
    );
    check_line(
        Lead,
        "cf.3",
        from("deal.cf.6"),
        vec![table(Value::Choice(Choice::named("чат")))],
        &[("/convert/0/options/table/0/1", "gone_option")],
    );
    check_line(Lead, "cf.4", from("deal.cf.3"), vec![], &[]);
    check_line(
        Lead,
        "cf.4",
        from("deal.cf.1"),
        vec![Conversion::DateFormat("d.m.Y".to_owned())],
        &[],
    );
    check_line(
        Lead,
        "responsible",
        from("deal.responsible"),
        vec![],
        &[("/from", "other_crm")],
    );
    check_line(
        Lead,
        "responsible",
        from("deal.responsible"),
        vec![table(Value::User(70))],
        &[],
    );
    check_line(
        Lead,
        "responsible",
        from("deal.responsible"),
        vec![table(Value::User(7))],
        &[("/convert/0/options/table/0/1", "gone_user")],
    );
    check_line(
        Lead,
        "stage",
        from("deal.stage"),
        vec![table(Value::Stage(CALLED))],
        &[],
    );
    check_line(
        Lead,
        "stage",
        from("deal.stage"),
        vec![],
        &[("/from", "other_crm")],
    );
    check_line(
        Lead,
        "created_at",
        from("deal.created_at"),
        vec![],
        &[("/field", "not_writable")],
    );
    check_line(
        Lead,
        "cf.77",
        from("deal.name"),
        vec![],
        &[("/field", "gone_field")],
    );
    check_line(
        Deal,
        "name",
        from("deal.name"),
        vec![],
        &[("/record", "wrong_record")],
    );
    check_line(
        Lead,
        "name",
        from("deal.price"),
        vec![Conversion::Phone],
        &[("/convert/0", "conversion_type")],
    );
    check_line(
        Lead,
        "name",
        Expression::Template("{{deal.name} }".to_owned()),
        vec![],
        &[("/from/template", "template")],
    );
    check_line(
        Lead,
        "name",
        Expression::FirstOf(vec![from("deal.name"), from("deal.price")]),
        vec![],
        &[("/from/first_of/1", "type_mismatch")],
    );
    check_line(
        Lead,
        "name",
        Expression::FirstOf(vec![from("deal.name"), from("contact.name")]),
        vec![],
        &[],
    );
    check_line(
        LeadContact,
        "phone",
        Expression::Template("{{contact.phone}}".to_owned()),
        vec![],
        &[("/from", "type_mismatch")],
    );
    check_line(
        LeadContact,
        "phone",
        Expression::Template("{{contact.phone}}".to_owned()),
        vec![Conversion::Phone],
        &[],
    );
    check_line(
        LeadContact,
        "phone",
        Expression::Constant(Value::text("89123456789")),
        vec![],
        &[],
    );
    check_line(
        Lead,
        "name",
        from("deal.cf.8"),
        vec![Conversion::Text],
        &[("/convert/0", "conversion_type")],
    );
}

#[test]
fn lines_and_searches_are_checked() {
    let name = |mode| MappingLine {
        mode,
        ..line(RecordKind::Lead, "name", from("deal.name"), vec![])
    };
    check_action(
        upsert(vec![name(WriteMode::Append)]),
        &[("/actions/0/mapping/0/mode", "append_single")],
    );
    check_action(
        upsert(vec![name(WriteMode::Replace), name(WriteMode::Replace)]),
        &[("/actions/0/mapping/1/field", "written_twice")],
    );
    let clear = MappingLine {
        if_empty: IfEmpty::Clear,
        ..line(
            RecordKind::Lead,
            "name",
            Expression::Constant(Value::Empty),
            vec![],
        )
    };
    check_action(upsert(vec![clear]), &[]);
    let search = |order, if_none| match upsert(Vec::new()) {
        Action::Upsert {
            kind,
            pick,
            if_found,
            mapping,
            stage,
            responsible,
            tags,
            ..
        } => Action::Upsert {
            kind,
            order,
            pick,
            if_none,
            if_found,
            mapping,
            stage,
            responsible,
            tags,
        },
        other => other,
    };
    check_action(
        search(vec![], IfNone::Create),
        &[("/actions/0/order", "no_search")],
    );
    check_action(search(vec![], IfNone::Skip), &[]);
    check_action(
        search(vec![MatchBy::Phone], IfNone::Create),
        &[("/actions/0/order/0", "search_without_value")],
    );
    let update = |mapping| Action::Update {
        target: Of::Trigger,
        mapping,
    };
    check_action(update(vec![]), &[("/actions/0/mapping", "no_mapping")]);
    let deal = |field: &str, from| line(RecordKind::Deal, field, from, vec![]);
    check_action(
        update(vec![
            deal("name", from("contact.name")),
            line(RecordKind::Contact, "cf.20", from("deal.name"), vec![]),
        ]),
        &[("/actions/0/mapping", "mixed_records")],
    );
    check_action(
        update(vec![
            deal("stage", from("before.deal.stage")),
            deal("name", from("contact.name")),
        ]),
        &[("/actions/0/mapping/0/field", "not_alone")],
    );
    check_action(
        update(vec![deal("cf.9", from("deal.name"))]),
        &[("/actions/0/mapping/0/field", "not_writable")],
    );
}
