//! The consent page `/oauth`.

use super::answer::{Answer, Reply};
use super::http::Incoming;
use super::query::{Query, encode};
use super::state::State;

/// `GET /oauth?client_id&state&mode`, and the two buttons `/oauth/allow` and `/oauth/deny`.
pub(crate) fn route(state: &mut State, path: &str, request: &Incoming<'_>) -> Reply {
    if request.method != "GET" {
        return Err(Answer::not_allowed());
    }
    let query = Query::parse(request.query);
    let client_id = query.get(&["client_id"]).unwrap_or_default().to_owned();
    let Some(integration) = state.oauth.integrations.get(&client_id).cloned() else {
        return Err(Answer::html(
            400,
            page("Интеграция не найдена", "<p>Проверьте client_id.</p>"),
        ));
    };
    let passed = query.get(&["state"]).map(str::to_owned);
    let state_part = passed
        .as_ref()
        .map_or_else(String::new, |s| format!("&state={}", encode(s)));
    let glue = if integration.redirect_uri.contains('?') {
        '&'
    } else {
        '?'
    };
    match path {
        "/oauth/allow" => {
            let wanted = query.int(&["account_id"]);
            let Some(account) = state.accounts.iter().find(|a| wanted.is_none_or(|id| a.id == id)) else {
                return Err(Answer::html(400, page("Аккаунт не найден", "")));
            };
            let (account_id, domain) = (account.id, account.domain());
            let admin = account
                .users
                .iter()
                .find(|u| u.is_admin && u.is_active)
                .map(|u| u.id);
            let user_id = query.int(&["user_id"]).or(admin).unwrap_or_default();
            let code = state.issue_code(&client_id, account_id, user_id);
            Ok(Answer::redirect(format!(
                "{}{glue}code={code}{state_part}&referer={domain}&platform=1&client_id={client_id}",
                integration.redirect_uri
            )))
        }
        "/oauth/deny" => Ok(Answer::redirect(format!(
            "{}{glue}error=access_denied&client_id={client_id}{state_part}",
            integration.redirect_uri
        ))),
        _ => {
            let options: String = state
                .accounts
                .iter()
                .map(|a| format!("<option value=\"{}\">{}</option>", a.id, escaped(&a.domain())))
                .collect();
            let hidden = passed.map_or_else(String::new, |s| {
                format!("<input type=\"hidden\" name=\"state\" value=\"{}\">", escaped(&s))
            });
            let form = format!(
                "<p>Интеграция «{}» просит доступ к данным аккаунта.</p>\
                 <form method=\"get\" action=\"/oauth/allow\">\
                 <input type=\"hidden\" name=\"client_id\" value=\"{client_id}\">{hidden}\
                 <label>Аккаунт <select name=\"account_id\">{options}</select></label>\
                 <p><button data-testid=\"oauth-allow\">Разрешить</button> \
                 <button data-testid=\"oauth-deny\" formaction=\"/oauth/deny\">Отказаться</button></p></form>",
                escaped(&integration.name),
            );
            Ok(Answer::html(200, page("Предоставление доступа", &form)))
        }
    }
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"ru\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/_sandbox_page.css\"></head>\
         <body class=\"plain\"><main class=\"consent\"><h1>{title}</h1>{body}</main></body></html>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
