use super::*;
use serde_json::json;

fn document() -> Value {
    json!({
        "name": "Правило", "source": "00000000-0000-0000-0000-000000000001",
        "triggers": [{ "kind": "deal_created" }],
        "condition": { "all": ["a", { "any": ["b", "c"] }, "d"] },
        "actions": [],
    })
}

fn draft() -> Draft {
    Draft::new(document(), Some(7))
}

/// The condition as one line: `[a (b c) d]`.
fn shape(draft: &Draft) -> String {
    fn say(node: &Value) -> String {
        let join = |list: &Value| {
            let items: Vec<String> = list.as_array().unwrap().iter().map(say).collect();
            items.join(" ")
        };
        match node {
            Value::String(word) => word.clone(),
            _ if node.get("all").is_some() => format!("[{}]", join(&node["all"])),
            _ if node.get("any").is_some() => format!("({})", join(&node["any"])),
            _ => format!("!{}", say(&node["not"])),
        }
    }
    say(draft.at("/condition").unwrap())
}

/// Moves an item and checks both the tree and that the pointer given back is the item's.
fn check_move(from: &str, list: &str, at: usize, expect: &str) {
    let mut draft = draft();
    let pointer = |rest: &str| format!("/condition{rest}");
    let item = draft.at(&pointer(from)).unwrap().clone();
    let landed = draft
        .apply(Edit::Move {
            from: pointer(from),
            list: pointer(list),
            at,
        })
        .expect("the place exists");
    assert_eq!(shape(&draft), expect, "{from} → {list}/{at}");
    assert_eq!(draft.at(&landed), Some(&item), "{from} → {list}/{at}: {landed}");
    draft.undo();
    assert_eq!(draft.document(), &document());
}

#[test]
fn moved_items_land_where_they_were_dropped() {
    check_move("/all/0", "/all", 3, "[(b c) d a]");
    check_move("/all/0", "/all", 2, "[(b c) a d]");
    check_move("/all/2", "/all", 0, "[d a (b c)]");
    check_move("/all/0", "/all/1/any", 0, "[(a b c) d]");
    check_move("/all/2", "/all/1/any", 2, "[a (b c d)]");
    check_move("/all/1/any/0", "/all", 0, "[b a (c) d]");
    check_move("/all/1/any/1", "/all", 2, "[a (b) c d]");
    check_move("/all/1/any/1", "/all", 9, "[a (b) d c]");
    check_move("/all/1", "/all", 0, "[(b c) a d]");
    check_move("/all/0", "/all", 0, "[a (b c) d]");
}

#[test]
fn a_group_never_goes_into_itself() {
    let mut draft = draft();
    for list in ["/condition/all/1/any", "/condition/all/1"] {
        let edit = Edit::Move {
            from: "/condition/all/1".to_owned(),
            list: list.to_owned(),
            at: 0,
        };
        assert_eq!(draft.apply(edit), None);
    }
    assert_eq!(draft.document(), &document());
    assert!(!draft.can_undo());
}

#[test]
fn what_is_typed_at_one_place_is_one_step() {
    let mut draft = draft();
    let mut type_name = |text: &str| {
        draft.apply(Edit::Set {
            at: "/name".to_owned(),
            to: text.into(),
        });
    };
    type_name("П");
    type_name("По");
    type_name("Пок");
    draft.pause();
    draft.apply(Edit::Set {
        at: "/name".to_owned(),
        to: "Покупка".into(),
    });
    assert_eq!(draft.at("/name"), Some(&json!("Покупка")));
    draft.undo();
    assert_eq!(draft.at("/name"), Some(&json!("Пок")));
    draft.undo();
    assert_eq!(draft.at("/name"), Some(&json!("Правило")));
    assert!(!draft.can_undo() && !draft.is_dirty());
    draft.redo();
    draft.redo();
    assert_eq!(draft.at("/name"), Some(&json!("Покупка")));
    assert!(!draft.can_redo() && draft.is_dirty());
}

#[test]
fn groups_negations_and_copies_are_taken_back() {
    let mut draft = draft();
    let at = || "/condition/all/1".to_owned();
    let steps = [
        (Edit::Negate { at: at() }, "[a !(b c) d]"),
        (Edit::Negate { at: at() }, "[a (b c) d]"),
        (Edit::Join { at: at() }, "[a [b c] d]"),
        (Edit::Group { at: at() }, "[a [[b c]] d]"),
        (Edit::Duplicate { at: at() }, "[a [[b c]] [[b c]] d]"),
        (Edit::Remove { at: at() }, "[a [[b c]] d]"),
        (
            Edit::Insert {
                list: "/condition/all".to_owned(),
                at: 99,
                item: "e".into(),
            },
            "[a [[b c]] d e]",
        ),
    ];
    let mut shapes = vec![shape(&draft)];
    for (edit, expect) in steps {
        draft.apply(edit).expect("the place exists");
        assert_eq!(shape(&draft), expect);
        shapes.push(shape(&draft));
    }
    while draft.can_undo() {
        shapes.pop();
        draft.undo();
        assert_eq!(Some(&shape(&draft)), shapes.last());
    }
    assert_eq!(draft.document(), &document());
}

#[test]
fn keys_lead_out_of_and_into_groups() {
    let document = document();
    assert_eq!(
        tree::outwards(&document, "/condition/all/1/any/0"),
        Some(("/condition/all".to_owned(), 2))
    );
    assert_eq!(tree::outwards(&document, "/condition/all/0"), None);
    assert_eq!(
        tree::inwards(&document, "/condition/all/2"),
        Some(("/condition/all/1/any".to_owned(), 2))
    );
    assert_eq!(tree::inwards(&document, "/condition/all/0"), None);
}

#[test]
fn members_come_and_go() {
    let mut draft = draft();
    let set = |draft: &mut Draft, to| {
        draft.apply(Edit::Set {
            at: "/description".to_owned(),
            to,
        })
    };
    assert!(set(&mut draft, "зачем".into()).is_some());
    assert_eq!(draft.at("/description"), Some(&json!("зачем")));
    assert!(set(&mut draft, Value::Null).is_some());
    assert_eq!(draft.at("/description"), None);
    let nowhere = Edit::Set {
        at: "/no/such/place".to_owned(),
        to: 1.into(),
    };
    assert_eq!(draft.apply(nowhere), None);
}

#[test]
fn who_saved_meanwhile_is_met_and_nothing_is_lost() {
    let mut mine = draft();
    mine.apply(Edit::Set {
        at: "/name".to_owned(),
        to: "Моё".into(),
    });
    let mut theirs = document();
    theirs["name"] = "Их".into();
    mine.meets(theirs.clone(), 8);
    assert_eq!(mine.conflict().map(|conflict| conflict.version), Some(8));
    assert_eq!(mine.at("/name"), Some(&json!("Моё")));

    let mut kept = mine.clone();
    kept.keep_mine();
    assert_eq!((kept.version(), kept.is_dirty()), (Some(8), true));
    assert_eq!(kept.at("/name"), Some(&json!("Моё")));

    mine.take_theirs();
    assert_eq!((mine.version(), mine.is_dirty()), (Some(8), false));
    mine.undo();
    assert_eq!(mine.at("/name"), Some(&json!("Моё")), "the own text comes back");
}

#[test]
fn without_own_changes_newer_is_taken_over() {
    let mut draft = draft();
    let mut theirs = document();
    theirs["name"] = "Их".into();
    draft.meets(theirs, 8);
    assert_eq!(draft.conflict(), None);
    assert_eq!(draft.version(), Some(8));
    assert!(!draft.is_dirty());
}

#[test]
fn what_was_typed_while_saving_stays_unsaved() {
    let mut draft = draft();
    let name = |text: &str| Edit::Set {
        at: "/name".to_owned(),
        to: text.into(),
    };
    draft.apply(name("Раз"));
    let sent = draft.document().clone();
    draft.apply(name("Раз-два"));
    draft.was_saved(sent, 8);
    assert!(draft.is_dirty());
    assert_eq!(draft.version(), Some(8));
}

#[test]
fn a_typed_letter_concerns_its_own_place_and_what_holds_it() {
    let touched = Edit::Set {
        at: "/condition/all/1/compare/with".to_owned(),
        to: json!("none"),
    }
    .touches();
    for concerned in [
        "",
        "/condition",
        "/condition/all/1",
        "/condition/all/1/compare/with",
        "/condition/all/1/compare/with/value",
    ] {
        assert!(touched.concerns(concerned), "{concerned}");
    }
    for other in [
        "/name",
        "/condition/all/10",
        "/condition/all/1/compare/field",
        "/cond",
    ] {
        assert!(!touched.concerns(other), "{other}");
    }
    let moved = Edit::Remove {
        at: "/condition/all/0".to_owned(),
    };
    assert!(moved.touches().concerns("/condition/all/3"));
}
