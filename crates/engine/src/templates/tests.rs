use super::*;
use domain::case::check;
use domain::catalogues::Catalogues;
use domain::compile::compile;
use domain::connection::ConnectorKind;
use domain::id::ConnectionId;
use std::collections::BTreeSet;
use uuid::Uuid;

#[test]
fn the_gallery_has_twenty_rules_and_more_each_once() {
    let ids: BTreeSet<&str> = all().iter().map(|template| template.id).collect();
    let titles: BTreeSet<&str> = all().iter().map(|template| template.title.as_str()).collect();
    assert!(all().len() >= 20);
    assert_eq!((ids.len(), titles.len()), (all().len(), all().len()));
    for template in all() {
        assert_eq!(template.title, template.document.rule.name);
        assert!(
            !template.about.is_empty() && !template.group.is_empty(),
            "{}",
            template.id
        );
        assert_eq!(find(template.id), Some(template));
    }
    assert_eq!(find("no-such"), None);
}

#[test]
fn every_rule_compiles_and_meets_its_cases() {
    for template in all() {
        let document = &template.document;
        let (compiled, found) = compile(&document.rule, &document.catalogues());
        assert_eq!(found, [], "{}", template.id);
        let says = |matches| document.cases.iter().any(|case| case.expected.matches == matches);
        assert!(says(true) && says(false), "{} shows only one side", template.id);
        for case in &document.cases {
            assert_eq!(check(&compiled, case), [""; 0], "{} «{}»", template.id, case.name);
            let whole = !case.expected.matches || case.expected.commands.is_some();
            assert!(
                whole,
                "{} «{}» says nothing of its actions",
                template.id, case.name
            );
        }
    }
}

/// The accounts of another workspace: the same names behind other ids.
fn elsewhere(template: &Template) -> Catalogues {
    let mut there = Catalogues::new();
    for (n, one) in template.document.connections.iter().enumerate() {
        let mut catalogue = one.catalogue.clone();
        for pipeline in &mut catalogue.pipelines {
            pipeline.id += 7_000;
            pipeline.stages.iter_mut().for_each(|stage| stage.id += 7_000);
        }
        catalogue.fields.iter_mut().for_each(|field| field.id += 7_000);
        catalogue.users.iter_mut().for_each(|user| user.id += 7_000);
        let id = ConnectionId(Uuid::from_u128(n as u128 + 1));
        there.insert_named(id, one.kind, "другое имя", catalogue);
    }
    there
}

#[test]
fn taken_elsewhere_they_compile_and_meet_their_cases() {
    for template in all() {
        let there = elsewhere(template);
        let bound = template.document.bind(&there);
        assert_eq!(bound.unbound, [""; 0], "{}", template.id);
        let (compiled, found) = compile(&bound.rule, &there);
        assert_eq!(found, [], "{}", template.id);
        for case in &bound.cases {
            assert_eq!(check(&compiled, case), [""; 0], "{} «{}»", template.id, case.name);
        }
    }
}

#[test]
fn an_empty_account_is_told_what_it_lacks() {
    let template = find("deal-to-calls").unwrap();
    let mut bare = Catalogues::new();
    let id = ConnectionId(Uuid::from_u128(1));
    bare.insert(id, ConnectorKind::Amocrm, domain::catalogue::Catalogue::default());
    let told = template.document.bind(&bare).unbound.join("; ");
    assert!(
        told.contains("LPTracker") && told.contains("«Передано в обзвон»"),
        "{told}"
    );
}
