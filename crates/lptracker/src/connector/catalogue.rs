//! Account, projects, steps, fields, staff; and the field definitions that reading and writing values need.

use super::{LptrackerConnector, WEB};
use crate::convert;
use crate::wire::list;
use crate::wire::project::{Definition, Employee, Project, Step};
use ::connector::ConnectorError;
use ::connector::connector::AccountCard;
use domain::catalogue::{Catalogue, FieldInfo, Pipeline, StageInfo, StageKind, UserInfo};
use domain::record::RecordKind;
use domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long definitions are trusted (contract, appendix B).
const TRUSTED: Duration = Duration::from_secs(3600);

/// A field that is not among the definitions makes them be read again, at most this often.
const SUSPECTED: Duration = Duration::from_secs(60);

/// Lead field definitions by project, read when first needed.
#[derive(Default)]
pub(super) struct Definitions {
    by_project: Mutex<HashMap<i64, (Instant, Arc<Fields>)>>,
    projects: Mutex<Option<(Instant, Vec<i64>)>>,
}

/// Lead fields of a project by id; the step and the owner are not among them.
pub(super) type Fields = HashMap<i64, FieldInfo>;

impl LptrackerConnector {
    pub(super) async fn check_account(&self) -> Result<AccountCard, ConnectorError> {
        let all = self.all_projects().await?;
        let wanted = &self.client.settings().projects;
        let ours: Vec<&Project> = all
            .iter()
            .filter(|project| wanted.is_empty() || wanted.contains(&project.id))
            .collect();
        if ours.is_empty() {
            return Err(ConnectorError::Forbidden {
                message: match wanted.is_empty() {
                    true => "в аккаунте LPTracker нет ни одного проекта".to_owned(),
                    false => "выбранных проектов нет в этом аккаунте LPTracker".to_owned(),
                },
            });
        }
        let missing = wanted
            .iter()
            .filter(|id| !all.iter().any(|project| project.id == **id));
        Ok(AccountCard {
            id: None,
            name: ours
                .iter()
                .map(|project| project.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            url: Some(WEB.to_owned()),
            // The API always acts as the main account.
            user: Some(0),
            zone: None,
            expires_at: None,
            warnings: missing
                .map(|id| format!("проект {id} не найден в аккаунте LPTracker"))
                .collect(),
        })
    }

    pub(super) async fn read_catalogue(&self) -> Result<Catalogue, ConnectorError> {
        let wanted = &self.client.settings().projects;
        let mut projects = self.all_projects().await?;
        projects.retain(|project| wanted.is_empty() || wanted.contains(&project.id));
        let mut catalogue = Catalogue {
            read_at: now(),
            ..Catalogue::default()
        };
        let is_several = projects.len() > 1;
        for project in &projects {
            // Fields of projects are often called the same.
            let named = |mut field: FieldInfo| {
                if is_several {
                    field.name = format!("{} · {}", field.name, project.name);
                }
                field
            };
            let id = project.id.to_string();
            let steps = self.client.get(&["project", &id, "funnel"], &[]).await?;
            catalogue.pipelines.push(Pipeline {
                id: project.id,
                name: project.name.clone(),
                stages: list(&steps, Step::read).into_iter().map(stage).collect(),
            });
            let lead_fields = self.read_definitions(project.id).await?;
            catalogue.fields.extend(lead_fields.into_iter().map(named));
            let contact_fields = self.client.get(&["project", &id, "fields"], &[]).await?;
            let contact_fields = list(&contact_fields, Definition::read);
            let infos = contact_fields
                .iter()
                .filter_map(|field| convert::info(RecordKind::LeadContact, field));
            catalogue.fields.extend(infos.map(named));
        }
        catalogue.users = self.staff().await?;
        Ok(catalogue)
    }

    /// Projects of this connection; of the whole login when none are chosen.
    pub(super) async fn projects(&self) -> Result<Vec<i64>, ConnectorError> {
        let chosen = &self.client.settings().projects;
        if !chosen.is_empty() {
            return Ok(chosen.clone());
        }
        let mut known = self.definitions.projects.lock().await;
        if let Some((read, projects)) = &*known
            && read.elapsed() < TRUSTED
        {
            return Ok(projects.clone());
        }
        let projects: Vec<i64> = self
            .all_projects()
            .await?
            .iter()
            .map(|project| project.id)
            .collect();
        *known = Some((Instant::now(), projects.clone()));
        Ok(projects)
    }

    async fn all_projects(&self) -> Result<Vec<Project>, ConnectorError> {
        Ok(list(&self.client.get(&["projects"], &[]).await?, Project::read))
    }

    async fn staff(&self) -> Result<Vec<UserInfo>, ConnectorError> {
        let staff = list(&self.client.get(&["staff"], &[]).await?, Employee::read);
        let mut users: Vec<UserInfo> = staff
            .into_iter()
            .map(|person| UserInfo {
                id: person.id,
                name: person.name,
                is_active: true,
            })
            .collect();
        if !users.iter().any(|user| user.id == 0) {
            users.insert(
                0,
                UserInfo {
                    id: 0,
                    name: "Главный аккаунт".to_owned(),
                    is_active: true,
                },
            );
        }
        Ok(users)
    }

    /// Reads a project's lead fields and remembers them.
    async fn read_definitions(&self, project: i64) -> Result<Vec<FieldInfo>, ConnectorError> {
        let answer = self
            .client
            .get(&["project", &project.to_string(), "customs"], &[])
            .await?;
        let infos: Vec<FieldInfo> = list(&answer, Definition::read)
            .iter()
            .filter_map(|definition| convert::info(RecordKind::Lead, definition))
            .collect();
        let by_id = infos.iter().map(|info| (info.id, info.clone())).collect();
        self.definitions
            .by_project
            .lock()
            .await
            .insert(project, (Instant::now(), Arc::new(by_id)));
        Ok(infos)
    }

    /// Lead fields of a project, from memory while they are fresh.
    pub(super) async fn fields_of(&self, project: i64) -> Result<Arc<Fields>, ConnectorError> {
        if let Some(fields) = self.remembered(project, TRUSTED).await {
            return Ok(fields);
        }
        self.read_definitions(project).await?;
        self.remembered(project, TRUSTED)
            .await
            .ok_or_else(|| super::protocol("поля проекта не прочитаны"))
    }

    async fn remembered(&self, project: i64, trusted: Duration) -> Option<Arc<Fields>> {
        let known = self.definitions.by_project.lock().await;
        let (read, fields) = known.get(&project)?;
        (read.elapsed() < trusted).then(|| Arc::clone(fields))
    }

    /// Definitions of the given lead fields, looked for in every project of the connection: field ids are
    /// unique in the service. What is not found even in fresh definitions is left out.
    pub(super) async fn definitions_of(&self, ids: &[i64]) -> Result<Fields, ConnectorError> {
        let mut found = Fields::new();
        if ids.is_empty() {
            return Ok(found);
        }
        for project in self.projects().await? {
            let mut fields = self.fields_of(project).await?;
            let lacks = |fields: &Fields| !ids.iter().all(|id| fields.contains_key(id));
            let last = self.only_project().is_some();
            if last && lacks(&fields) && self.remembered(project, SUSPECTED).await.is_none() {
                self.read_definitions(project).await?;
                fields = self.fields_of(project).await?;
            }
            found.extend(ids.iter().filter_map(|id| Some((*id, fields.get(id)?.clone()))));
            if ids.iter().all(|id| found.contains_key(id)) {
                break;
            }
        }
        Ok(found)
    }
}

fn stage(step: Step) -> StageInfo {
    StageInfo {
        id: step.id,
        name: step.name,
        color: None,
        kind: StageKind::Open,
    }
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
