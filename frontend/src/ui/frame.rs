//! Pages, cards and what they are made of.

use leptos::prelude::*;

/// Sets the title of the browser's tab.
pub fn page_title(title: &str) {
    document().set_title(&format!("{title} — CRM Интегратор"));
}

/// A page: its title, what it is for, its buttons, its content.
#[component]
pub fn Page(
    #[prop(into)] title: Signal<String>,
    #[prop(optional, into)] about: Option<String>,
    /// Where it stands: words and address of the page above.
    #[prop(optional)]
    above: Option<(&'static str, &'static str)>,
    #[prop(optional)] actions: Option<AnyView>,
    /// What stands beside the title: a state, a side.
    #[prop(optional)]
    tags: Option<AnyView>,
    children: Children,
) -> impl IntoView {
    Effect::new(move |_| page_title(&title.get()));
    view! {
        <div class="page">
            <header class="page-head">
                <div class="titles">
                    {above
                        .map(|(words, href)| {
                            view! {
                                <nav class="crumbs" aria-label="Путь">
                                    <a href=href>{words}</a>
                                    <span aria-hidden="true">"/"</span>
                                </nav>
                            }
                        })}
                    <div class="row"><h1>{move || title.get()}</h1> {tags}</div>
                    {about.map(|about| view! { <p>{about}</p> })}
                </div>
                {actions.map(|actions| view! { <div class="row">{actions}</div> })}
            </header>
            {children()}
        </div>
    }
}

/// A box with a heading.
#[component]
pub fn Card(
    #[prop(optional, into)] title: Option<String>,
    /// Further classes.
    #[prop(optional, into)]
    class: String,
    #[prop(optional)] actions: Option<AnyView>,
    #[prop(optional)] testid: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let headed = title.is_some() || actions.is_some();
    view! {
        <section class=format!("card {class}") data-testid=testid>
            {headed
                .then(|| {
                    view! {
                        <header>
                            {title.map(|title| view! { <h2>{title}</h2> })}
                            {actions.map(|actions| view! { <div class="row">{actions}</div> })}
                        </header>
                    }
                })}
            {children()}
        </section>
    }
}

/// Names and values, one under another.
#[component]
pub fn Facts<N: Into<String> + 'static>(facts: Vec<(N, AnyView)>) -> impl IntoView {
    let rows = facts
        .into_iter()
        .map(|(name, value)| view! { <dt>{name.into()}</dt><dd>{value}</dd> })
        .collect_view();
    view! { <dl class="facts">{rows}</dl> }
}

/// Something that is opened when wanted.
#[component]
pub fn Fold(#[prop(into)] title: String, #[prop(optional)] open: bool, children: Children) -> impl IntoView {
    view! {
        <details class="fold" open=open>
            <summary>{title}</summary>
            <div>{children()}</div>
        </details>
    }
}

/// Draws something while a condition holds. One function for all of them, where leptos' `Show` is compiled anew
/// for each.
pub fn when(
    condition: impl Fn() -> bool + Send + Sync + 'static,
    draw: impl Fn() -> AnyView + Send + Sync + 'static,
) -> AnyView {
    while_true(Box::new(condition), Box::new(draw))
}

fn while_true(
    condition: Box<dyn Fn() -> bool + Send + Sync>,
    draw: Box<dyn Fn() -> AnyView + Send + Sync>,
) -> AnyView {
    let holds = Memo::new(move |_| condition());
    (move || holds.get().then(&draw)).into_any()
}
