use crate::support::*;
use domain::evaluate::Calendar;
use domain::id::{UserId, WorkspaceId};
use storage::accounts::{self, Role, User, Workspace};

fn workspace(id: WorkspaceId, name: &str) -> Workspace {
    Workspace {
        id,
        name: name.to_owned(),
        zone: "Asia/Yekaterinburg".to_owned(),
        calendar: None,
        created_at: NOW,
    }
}

fn user(n: u128, email: &str) -> User {
    User {
        id: UserId(uuid(n)),
        email: email.to_owned(),
        name: "Анна".to_owned(),
        password_hash: Some("$argon2id$…".to_owned()),
        is_superuser: n == 1,
        disabled_at: (n == 2).then_some(at(9)),
        created_at: NOW,
    }
}

#[tokio::test]
async fn workspaces_are_kept_with_their_calendars() {
    on_each(async |base| {
        let db = &base.db;
        let ours = Workspace {
            calendar: Some(Calendar::default()),
            ..workspace(OURS, "Ромашка")
        };
        let theirs = workspace(THEIRS, "Лютик");
        accounts::insert_workspace(db, &theirs).await.unwrap();
        accounts::insert_workspace(db, &ours).await.unwrap();
        assert_conflict(accounts::insert_workspace(db, &ours).await);
        assert_eq!(accounts::workspace(db, OURS).await.unwrap(), ours);
        assert_missing(accounts::workspace(db, WorkspaceId(uuid(99))).await);
        assert_eq!(accounts::workspaces(db).await.unwrap(), [ours, theirs]);
        base.tamper("UPDATE workspace SET calendar = '{}' WHERE name = 'Лютик'")
            .await;
        assert_corrupt(accounts::workspace(db, THEIRS).await);
    })
    .await;
}

#[tokio::test]
async fn a_person_is_found_by_id_and_address() {
    on_each(async |base| {
        let db = &base.db;
        assert_eq!(accounts::n_users(db).await.unwrap(), 0);
        let (anna, boris) = (
            user(1, "anna@example.ru"),
            User {
                password_hash: None,
                ..user(2, "boris@example.ru")
            },
        );
        accounts::insert_user(db, &anna).await.unwrap();
        accounts::insert_user(db, &boris).await.unwrap();
        assert_conflict(accounts::insert_user(db, &user(3, "anna@example.ru")).await);
        assert_eq!(accounts::n_users(db).await.unwrap(), 2);
        assert!(accounts::user(db, anna.id).await.unwrap() == anna);
        assert!(accounts::user(db, boris.id).await.unwrap() == boris);
        assert_missing(accounts::user(db, UserId(uuid(9))).await);
        let found = accounts::user_by_email(db, "boris@example.ru").await.unwrap();
        assert!(found == Some(boris));
        assert!(
            accounts::user_by_email(db, "nobody@example.ru")
                .await
                .unwrap()
                .is_none()
        );
    })
    .await;
}

#[tokio::test]
async fn a_person_has_one_role_in_each_workspace() {
    on_each(async |base| {
        let db = &base.db;
        for it in [workspace(OURS, "Ромашка"), workspace(THEIRS, "Лютик")] {
            accounts::insert_workspace(db, &it).await.unwrap();
        }
        let (anna, boris) = (user(1, "anna@example.ru"), user(2, "boris@example.ru"));
        for it in [&anna, &boris] {
            accounts::insert_user(db, it).await.unwrap();
        }
        accounts::insert_membership(db, THEIRS, anna.id, Role::Viewer, NOW)
            .await
            .unwrap();
        accounts::insert_membership(db, OURS, anna.id, Role::Owner, at(5))
            .await
            .unwrap();
        accounts::insert_membership(db, OURS, boris.id, Role::Editor, at(1))
            .await
            .unwrap();
        assert_conflict(accounts::insert_membership(db, OURS, anna.id, Role::Viewer, NOW).await);

        assert_eq!(
            accounts::role(db, OURS, anna.id).await.unwrap(),
            Some(Role::Owner)
        );
        assert_eq!(
            accounts::role(db, THEIRS, anna.id).await.unwrap(),
            Some(Role::Viewer)
        );
        assert_eq!(accounts::role(db, THEIRS, boris.id).await.unwrap(), None);
        let of_anna = accounts::memberships(db, anna.id).await.unwrap();
        let expected = [
            (workspace(OURS, "Ромашка"), Role::Owner),
            (workspace(THEIRS, "Лютик"), Role::Viewer),
        ];
        assert_eq!(of_anna, expected);
        let members = accounts::members(db, OURS).await.unwrap();
        let members: Vec<_> = members
            .into_iter()
            .map(|it| (it.user.id, it.role, it.joined_at))
            .collect();
        assert_eq!(
            members,
            [(boris.id, Role::Editor, at(1)), (anna.id, Role::Owner, at(5))]
        );

        base.tamper("UPDATE membership SET role = 'king' WHERE role = 'owner'")
            .await;
        assert_corrupt(accounts::role(db, OURS, anna.id).await);
    })
    .await;
}
