use super::*;
use crate::time::Timestamp;
use crate::value::{Choice, Stage};
use proptest::prelude::*;

fn value(path: FieldPath) -> Option<Cow<'static, Value>> {
    Some(Cow::Owned(match path.to_string().as_str() {
        "deal.name" => Value::text("  Заявка  с сайта "),
        "deal.price" => Value::Number("90000.5".parse().expect("number")),
        "deal.created_at" => Value::Instant(Timestamp::from_secs(1_772_690_823)),
        "deal.stage" => Value::Stage(Stage {
            pipeline: 1,
            status: 2,
        }),
        "deal.tags" => Value::Choices(vec![Choice::named("vip"), Choice::named("сайт")]),
        "contact.phone" => Value::Texts(vec!["8 (912) 345-67-89".to_owned(), "84951234567".to_owned()]),
        "contact.name" => Value::Empty,
        "call.comment" => Value::text("12.03.26"),
        _ => return None,
    }))
}

fn render(source: &str) -> Rendered {
    let template = Template::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    let scope = Scope::default();
    let from = Sources {
        value: &value,
        scope: &scope,
        now: Timestamp(0),
        zone: &Zone::moscow(),
    };
    template.render(&from)
}

fn check(source: &str, expect: &str) {
    assert_eq!(render(source).text, expect, "{source}");
}

#[test]
fn places_are_filled() {
    check("", "");
    check("просто текст } {", "просто текст } {");
    check("{{deal.name | trim}}!", "Заявка с сайта!");
    check("{{ deal.price }}", "90000.5");
    check("{{deal.price|money}}", "90\u{a0}000,50");
    check("{{deal.created_at}}", "05.03.2026 09:07");
    check("{{deal.created_at | date:\"d.m.y\"}}", "05.03.26");
    check("{{deal.created_at | date:\"H:i | j.n\"}}", "09:07 | 5.3");
    check("{{call.comment | date:\"Y-m-d\"}}", "2026-03-12");
    check("{{contact.phone | phone}}", "+79123456789, +74951234567");
    check("{{contact.phone | first | phone}}", "+79123456789");
    check("{{contact.phone | first | digits}}", "89123456789");
    check("{{deal.tags}}", "vip, сайт");
    check("{{deal.tags | join:\" / \" | upper}}", "VIP / САЙТ");
    check("{{deal.tags | first | title}}", "Vip");
    check("{{contact.name | default:\"без имени\"}}", "без имени");
    check("{{contact.cf.7 | default:\"a \\\"b\\\" }} c\"}}", "a \"b\" }} c");
    check("{{deal.stage}}", "1/2");
    check("{{now | date:\"Y\"}}", "1970");
    check("а{{contact.name}}б{{deal.cf.1}}в", "абв");
}

#[test]
fn blank_and_absent_are_told() {
    assert!(render("{{contact.name}} — {{deal.cf.1}}").is_blank);
    assert!(!render("Имя: {{contact.name}}").is_blank);
    assert!(!render("{{deal.name}} —").is_blank);
    assert_eq!(
        render("{{deal.cf.1}} {{deal.cf.1}} {{contact.name}}")
            .absent
            .len(),
        1
    );
    assert!(render("{{deal.cf.1 | default:\"x\"}}").absent.is_empty());
}

#[test]
fn mistakes_are_told_with_their_place() {
    let fail = |source: &str, at: usize, part: &str| {
        let error = Template::parse(source).expect_err(source);
        assert_eq!(error.at, at, "{source}: {error}");
        assert!(error.text.contains(part), "{source}: {error}");
    };
    fail("имя {{deal.name", 4, "не закрыты");
    fail("{{}}", 2, "пусто");
    fail("ёж {{deal.nome}}", 5, "deal.nome");
    fail("{{deal.name | big}}", 13, "неизвестный фильтр");
    fail("{{deal.name | date}}", 13, "в кавычках");
    fail("{{deal.name | date:d.m.Y}}", 13, "в кавычках");
    fail("{{deal.name | date:\"Q\"}}", 13, "буква");
    fail("{{deal.name | upper:\"x\"}}", 13, "не нужно");
    fail("{{deal.name |}}", 13, "нет названия");
    fail(&"{{now}}".repeat(MAX_PARTS + 1), 7 * MAX_PARTS + 2, "частей");
    fail(&format!("{{{{now{}}}}}", "|trim".repeat(11)), 56, "фильтров");
    fail(&"a".repeat(MAX_SOURCE + 1), MAX_SOURCE, "длиннее");
}

#[test]
fn output_is_limited() {
    let long = |_| Some(Cow::Owned(Value::text("ж".repeat(15_000))));
    let template = Template::parse("{{deal.name}}{{deal.name}}").expect("template");
    let scope = Scope::default();
    let from = Sources {
        value: &long,
        scope: &scope,
        now: Timestamp(0),
        zone: &Zone::moscow(),
    };
    let out = template.render(&from);
    assert_eq!((out.text.chars().count(), out.is_cut), (MAX_OUTPUT, true));
}

proptest! {
    #[test]
    fn never_panics(source in "\\PC{0,60}|[{}| a-z.:\"\\\\]{0,60}|(\\{\\{(deal|contact)\\.(name|phone|price)( \\| (phone|money|upper|date:\"d.m\"))?\\}\\} ?){0,5}") {
        if let Ok(template) = Template::parse(&source) {
            let scope = Scope::default();
            let from = Sources { value: &value, scope: &scope, now: Timestamp(i64::MAX), zone: &Zone::moscow() };
            template.render(&from);
        }
    }

    #[test]
    fn any_value_can_be_shown(number in any::<i64>(), text in "\\PC{0,20}") {
        let scope = Scope::default();
        for value in [Value::Instant(Timestamp(number)), Value::Text(text.clone()), Value::User(number), Value::Id(number)] {
            scope.value_text(None, &value, &Zone::moscow());
            scope.value_words(None, &value, &Zone::moscow());
        }
    }
}
