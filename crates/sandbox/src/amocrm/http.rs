//! From an HTTP request to the code that answers it.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{Answer, Reply};
use super::call::Call;
use super::model::Kind;
use super::query::Query;
use super::state::State;
use super::{catalog, consent, entities, events, fields, hooks, notes, relations, tasks, unsorted};
use crate::server::BAN_PAGE;
use crate::world::World;

/// Everything that is not the control API.
pub(crate) async fn handle(world: Data<World>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|v| v.to_str().ok())
            .map(str::to_owned)
    };
    let (scheme, host) = {
        let info = request.connection_info();
        (info.scheme().to_owned(), info.host().to_owned())
    };
    let incoming = Incoming {
        method: request.method().as_str(),
        path: request.path(),
        query: request.query_string(),
        base: format!("{scheme}://{host}"),
        host: &host,
        bearer: header("authorization").and_then(|h| h.strip_prefix("Bearer ").map(str::to_owned)),
        refresh: header("x-refresh-token"),
        body: &body,
    };
    let answer = {
        let mut state = world.amocrm();
        state.answer(&incoming).unwrap_or_else(|refusal| refusal)
    };
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    response.insert_header(("x-request-id", uuid::Uuid::new_v4().to_string()));
    for (name, value) in answer.headers {
        response.insert_header((name, value));
    }
    if answer.content_type.is_empty() {
        return response.finish();
    }
    response.content_type(answer.content_type).body(answer.body)
}

/// A request as far as the service looks at it.
pub(crate) struct Incoming<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    /// Scheme and host for links.
    pub base: String,
    pub host: &'a str,
    pub bearer: Option<String>,
    pub refresh: Option<String>,
    pub body: &'a [u8],
}

impl State {
    fn answer(&mut self, request: &Incoming<'_>) -> Reply {
        if self.is_banned() {
            return Err(Answer::html(403, BAN_PAGE.to_owned()));
        }
        let (account, prefix) = self.addressed(request)?;
        let path = &request.path[prefix.len()..];
        match path {
            "/oauth" | "/oauth/allow" | "/oauth/deny" => consent::route(self, path, request),
            "/oauth2/access_token" if request.method == "POST" => {
                self.access_token(self.accounts[account].id, request.body)
            }
            "/oauth2/access_token" => Err(Answer::not_allowed()),
            "/oauth2/account/subdomain" => self.subdomain(request.bearer.as_deref(), None),
            "/oauth2/account/current/subdomain" => {
                self.subdomain(request.bearer.as_deref(), request.refresh.as_deref())
            }
            _ => match path.strip_prefix("/api/v4/") {
                Some(below) => self.api(account, prefix, below.trim_end_matches('/'), path, request),
                None => Err(Answer::not_found("Not Found")),
            },
        }
    }

    /// The account a request is for, and the path prefix that named it.
    fn addressed<'a>(&self, request: &Incoming<'a>) -> Result<(usize, &'a str), Answer> {
        let named = |label: &str| self.accounts.iter().position(|a| a.subdomain == label);
        let former = |label: &str| {
            self.accounts
                .iter()
                .any(|a| a.former_subdomains.iter().any(|s| s == label))
        };
        let unknown = || Answer::not_found("Account not found");
        let whole = request.path.strip_prefix('/').unwrap_or_default();
        let first = whole.split('/').next().unwrap_or_default();
        let rest = &whole[first.len()..];
        if rest.starts_with("/api/") || rest.starts_with("/oauth2/") {
            let at = named(first).ok_or_else(unknown)?;
            return Ok((at, &request.path[..=first.len()]));
        }
        let host = request.host.split(':').next().unwrap_or_default();
        let label = host.split_once('.').map_or("", |(label, _)| label);
        let branded = [".amocrm.ru", ".amocrm.com", ".kommo.com", ".localhost"]
            .iter()
            .any(|s| host.ends_with(s));
        match named(label) {
            Some(at) => Ok((at, "")),
            None if former(label) => Err(unknown()),
            None if branded && label != "www" && !label.starts_with("api-") => Err(unknown()),
            None => Ok((0, "")),
        }
    }

    fn api(
        &mut self,
        account: usize,
        prefix: &str,
        below: &str,
        path: &str,
        request: &Incoming<'_>,
    ) -> Reply {
        let unauthorized = || Answer::problem(401, "Неверный логин или пароль");
        let token = request
            .bearer
            .as_deref()
            .and_then(|text| self.token(text))
            .ok_or_else(unauthorized)?;
        if token.account_id != self.accounts[account].id {
            return Err(unauthorized());
        }
        if !self.admit(&token.client_id, token.account_id) {
            if self.is_banned() {
                return Err(Answer::html(403, BAN_PAGE.to_owned()));
            }
            if self.settings.plain_429 {
                let mut answer = Answer::html(429, "429 Too Many Requests".to_owned());
                answer.content_type = "text/plain";
                return Err(answer);
            }
            return Err(Answer::too_many(self.settings.retry_after));
        }
        let user = self.accounts[account]
            .users
            .iter()
            .find(|u| u.id == token.user_id && u.is_active);
        let is_admin = user.ok_or_else(unauthorized)?.is_admin;
        if self.accounts[account].unpaid {
            return Err(Answer::problem(402, "Payment Required"));
        }
        if !token.scopes.iter().any(|s| s == "crm") {
            return Err(Answer::problem(403, "Client doesn't have the required scope"));
        }
        let settings = self.settings.clone();
        let base = format!("{}{prefix}", request.base);
        let mut call = Call {
            account: &mut self.accounts[account],
            settings: &settings,
            user_id: token.user_id,
            is_admin,
            method: request.method,
            base: &base,
            path,
            query: Query::parse(request.query),
            body: request.body,
        };
        let segments: Vec<&str> = below.split('/').collect();
        route(&mut call, &segments)
    }
}

fn route(call: &mut Call<'_>, segments: &[&str]) -> Reply {
    let nothing = || Err(Answer::not_found("Not Found"));
    match segments {
        ["account"] => catalog::account(call),
        ["users", rest @ ..] => catalog::users(call, rest),
        ["tasks", rest @ ..] => tasks::route(call, rest),
        ["events", rest @ ..] => events::route(call, rest),
        ["webhooks", rest @ ..] => hooks::route(call, rest),
        ["calls"] => notes::calls(call),
        ["leads", "pipelines", rest @ ..] => catalog::pipelines(call, rest),
        ["leads", "loss_reasons", rest @ ..] => catalog::loss_reasons_route(call, rest),
        ["leads", "complex"] => unsorted::complex(call),
        ["leads", "unsorted", rest @ ..] => unsorted::route(call, rest),
        [kind, rest @ ..] => {
            let Some(kind) = Kind::ALL.into_iter().find(|k| k.plural() == *kind) else {
                return nothing();
            };
            match rest {
                [] => entities::collection(call, kind),
                ["custom_fields", rest @ ..] => fields::route(call, kind, rest),
                ["tags"] => relations::tags(call, kind),
                ["notes", rest @ ..] => notes::route(call, kind, None, rest),
                [what @ ("links" | "link" | "unlink")] => relations::links(call, kind, None, what),
                [id, rest @ ..] => {
                    let Ok(id) = id.parse::<i64>() else {
                        return nothing();
                    };
                    match rest {
                        [] => entities::single(call, kind, id),
                        ["notes", rest @ ..] => notes::route(call, kind, Some(id), rest),
                        [what @ ("links" | "link" | "unlink")] => {
                            relations::links(call, kind, Some(id), what)
                        }
                        _ => nothing(),
                    }
                }
            }
        }
        [] => nothing(),
    }
}

#[cfg(test)]
mod tests;
