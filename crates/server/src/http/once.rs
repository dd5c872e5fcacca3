//! Request keys: a creation asked for twice with one `Idempotency-Key` happens once and is answered twice.

use crate::http::access::Access;
use crate::http::extract::RequestKey;
use crate::http::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use api::problem::ProblemType;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use storage::request_keys::{self, Known};

/// A request that has not been answered for this long has died with its process, in milliseconds.
const DEAD_AFTER_MS: i64 = 60_000;

impl<P> Access<P> {
    /// Carries out a creation, once per key. The stored answer is sealed, since it may hold a secret that is
    /// shown once.
    pub async fn once<B: Serialize, T: Serialize>(
        &self,
        operation: &'static str,
        key: RequestKey,
        body: &B,
        work: impl Future<Output = Result<T, Problem>>,
    ) -> Result<HttpResponse, Problem> {
        let Some(key) = key.0 else {
            return Ok(created(&work.await?));
        };
        let body = serde_json::to_string(body).unwrap_or_default();
        let hash = vault::hash_token(&body);
        let (db, workspace, now) = (self.db(), self.workspace(), self.now());
        if !request_keys::reserve(db, workspace, &key, operation, &hash, now).await? {
            let known = request_keys::find(db, workspace, &key).await?;
            match known {
                Some(known) if known.operation != operation || known.body_hash != hash => {
                    return Err(Problem::new(
                        ProblemType::RequestKeyReused,
                        "Этот ключ запроса уже использован с другим содержимым: возьмите новый",
                    ));
                }
                Some(known) if known.status != 0 => return self.replayed(&key, &known),
                Some(known) if now.0 - known.created_at.0 > DEAD_AFTER_MS => {
                    request_keys::release(db, workspace, &key).await?;
                    request_keys::reserve(db, workspace, &key, operation, &hash, now).await?;
                }
                _ => {
                    return Err(Problem::new(
                        ProblemType::Conflict,
                        "Запрос с этим ключом ещё выполняется, повторите через несколько секунд",
                    ));
                }
            }
        }
        match work.await {
            Ok(made) => {
                let text = serde_json::to_string(&made).map_err(|_| Problem::internal())?;
                let sealed = self.app().keyring.seal(&SecretString::from(text), &place(&key));
                let sealed = sealed.map_err(|_| Problem::internal())?.to_string();
                request_keys::finish(db, workspace, &key, StatusCode::CREATED.as_u16(), &sealed).await?;
                Ok(created(&made))
            }
            Err(problem) => {
                request_keys::release(db, workspace, &key).await?;
                Err(problem)
            }
        }
    }

    fn replayed(&self, key: &str, known: &Known) -> Result<HttpResponse, Problem> {
        let status = StatusCode::from_u16(known.status).unwrap_or(StatusCode::CREATED);
        let opened = known
            .response
            .parse()
            .and_then(|sealed| self.app().keyring.open(&sealed, &place(key)));
        let text = opened.map_err(|_| Problem::internal())?;
        Ok(HttpResponse::build(status)
            .content_type("application/json")
            .insert_header(("idempotent-replay", "true"))
            .body(text.expose_secret().to_owned()))
    }
}

fn created(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Created().json(body)
}

fn place(key: &str) -> String {
    format!("request-key:{key}")
}
