//! Carrying out each kind of operation on an existing record.

use super::attempt::Attempt;
use super::diff;
use super::failure::Failure;
use super::upsert::Ended;
use connector::Snapshot;
use domain::command::{Operation, Target, Write};
use domain::connection::ConnectorKind;
use domain::record::{RecordKey, RecordKind};
use storage::deliveries;

impl Attempt<'_> {
    /// Carries the operation out as far as it is not done yet.
    pub(super) async fn operate(&mut self, operation: &Operation) -> Result<Ended, Failure> {
        if let Operation::Upsert(wanted) = operation {
            return self.upsert(wanted).await;
        }
        if let Operation::SaveCallResult { result } = operation {
            crate::calls::save(self.context, &self.case.delivery, result).await?;
            return Ok(Ended::Done);
        }
        if self.case.progress.todo.is_none() {
            let todo = self.plan(operation).await?;
            self.case.progress.todo = Some(todo);
        }
        self.finish().await?;
        if self.case.progress.n_done == 0 {
            return Ok(Ended::Skipped("запись уже в нужном состоянии".to_owned()));
        }
        Ok(Ended::Done)
    }

    async fn plan(&mut self, operation: &Operation) -> Result<Vec<Write>, Failure> {
        Ok(match operation {
            Operation::Upsert(_) => Vec::new(),
            Operation::Update { target, kind, fields } => {
                let main = self.target(*target).await?;
                let snapshot = if main.kind == *kind {
                    self.read_alone(&main).await?
                } else {
                    self.read(&main).await?
                };
                let snapshot = snapshot.ok_or_else(gone)?;
                let record = snapshot.record(*kind).ok_or_else(|| Failure::Refused {
                    code: "not_found",
                    text: "у записи нет нужного контакта или компании".to_owned(),
                })?;
                self.case.delivery.record = Some(record.key.clone());
                diff::fields(record, fields).into_iter().collect()
            }
            Operation::Move {
                target,
                stage,
                loss_reason,
            } => {
                let (main, snapshot) = self.main(*target).await?;
                snapshot
                    .record(main.kind)
                    .and_then(|it| diff::stage(it, *stage, *loss_reason))
                    .into_iter()
                    .collect()
            }
            Operation::SetResponsible { target, user } => {
                let (main, snapshot) = self.main(*target).await?;
                snapshot
                    .record(main.kind)
                    .and_then(|it| diff::responsible(it, *user))
                    .into_iter()
                    .collect()
            }
            Operation::ChangeTags { target, add, remove } => {
                let (main, snapshot) = self.main(*target).await?;
                snapshot
                    .record(main.kind)
                    .and_then(|it| diff::tags(it, add, remove))
                    .into_iter()
                    .collect()
            }
            Operation::AddNote { target, text } => {
                let key = self.target(*target).await?;
                vec![Write::AddNote {
                    key,
                    text: text.clone(),
                }]
            }
            Operation::AddTask { target, task } => {
                let key = self.target(*target).await?;
                vec![Write::AddTask {
                    key,
                    task: task.clone(),
                }]
            }
            Operation::LogCall { target, call } => {
                let key = self.target(*target).await?;
                vec![Write::LogCall {
                    key,
                    call: call.clone(),
                }]
            }
            Operation::AddPayment { target, payment } => {
                let key = self.target(*target).await?;
                vec![Write::AddPayment {
                    key,
                    payment: payment.clone(),
                }]
            }
            Operation::StartCall { target } => vec![Write::StartCall {
                key: self.target(*target).await?,
            }],
            Operation::SaveCallResult { .. } | Operation::SendWebhook { .. } | Operation::Notify { .. } => {
                return Err(Failure::Refused {
                    code: "unsupported",
                    text: "это действие выполняется не в CRM".to_owned(),
                });
            }
        })
    }

    async fn main(&mut self, target: Target) -> Result<(RecordKey, Snapshot), Failure> {
        let key = self.target(target).await?;
        let snapshot = self.read_alone(&key).await?.ok_or_else(gone)?;
        Ok((key, snapshot))
    }

    /// The record that an action means.
    async fn target(&mut self, target: Target) -> Result<RecordKey, Failure> {
        let key = match target {
            Target::Trigger => self.trigger()?,
            Target::Linked => self.counterpart().await?,
        };
        self.case.delivery.record = Some(key.clone());
        Ok(key)
    }

    /// The event's own record; for a call, note or task, the record it belongs to.
    fn trigger(&self) -> Result<RecordKey, Failure> {
        let event = &self.case.event.event;
        if event.connection != self.case.connection.id {
            return Err(Failure::Refused {
                code: "wrong_connection",
                text: "действие над записью события указывает на другое подключение".to_owned(),
            });
        }
        let key = &event.fact.key;
        if !matches!(key.kind, RecordKind::Call | RecordKind::Note | RecordKind::Task) {
            return Ok(key.clone());
        }
        event
            .fact
            .related
            .iter()
            .map(|record| &record.key)
            .find(|key| {
                matches!(
                    key.kind,
                    RecordKind::Deal | RecordKind::Lead | RecordKind::Contact
                )
            })
            .cloned()
            .ok_or_else(|| Failure::Refused {
                code: "not_found",
                text: "событие не говорит, к какой записи относится".to_owned(),
            })
    }

    /// The record on the other side: by the link of the event's record, or of its parent.
    async fn counterpart(&self) -> Result<RecordKey, Failure> {
        let event = &self.case.event.event;
        let kind = match self.case.connection.kind {
            ConnectorKind::Amocrm => RecordKind::Deal,
            ConnectorKind::Lptracker => RecordKind::Lead,
        };
        let own: Vec<&RecordKey> = std::iter::once(&event.fact.key)
            .chain(event.fact.related.iter().map(|record| &record.key))
            .collect();
        for key in own {
            let link = crate::links::to(
                &self.context.db,
                event.workspace,
                event.connection,
                key,
                self.case.connection.id,
            )
            .await?;
            if let Some(id) = link.as_ref().and_then(|link| link.id_of(kind)) {
                return Ok(RecordKey::new(kind, id.clone()));
            }
        }
        let code = "not_linked";
        let text = "у записи нет связи с другой CRM: сначала нужно действие «найти или создать»".to_owned();
        // The record may be one that we have just made and do not know of yet.
        if deliveries::has_begun_upsert(&self.context.db, event.workspace, event.connection).await? {
            return Err(Failure::NotYet { code, reason: text });
        }
        Err(Failure::Refused { code, text })
    }
}

fn gone() -> Failure {
    Failure::Refused {
        code: "not_found",
        text: "запись не найдена в CRM: возможно, её удалили".to_owned(),
    }
}
