//! Which system fields each kind of record has, and which of them the hub may write.

use crate::field::SystemField;
use crate::record::RecordKind;
use SystemField as F;

/// The system fields of a kind of record, in the order of the editor.
pub const fn system_fields(kind: RecordKind) -> &'static [SystemField] {
    match kind {
        RecordKind::Deal => &[
            F::Name,
            F::Price,
            F::Stage,
            F::Pipeline,
            F::Responsible,
            F::Tags,
            F::LossReason,
            F::CreatedAt,
            F::UpdatedAt,
            F::ClosedAt,
            F::CreatedBy,
            F::UpdatedBy,
            F::Contact,
            F::Company,
            F::Source,
            F::Id,
        ],
        RecordKind::Contact => &[
            F::Name,
            F::FirstName,
            F::LastName,
            F::Phone,
            F::Email,
            F::Responsible,
            F::Tags,
            F::CreatedAt,
            F::UpdatedAt,
            F::CreatedBy,
            F::UpdatedBy,
            F::Company,
            F::Id,
        ],
        RecordKind::Company => &[
            F::Name,
            F::Phone,
            F::Email,
            F::Site,
            F::Responsible,
            F::Tags,
            F::CreatedAt,
            F::UpdatedAt,
            F::CreatedBy,
            F::UpdatedBy,
            F::Id,
        ],
        RecordKind::Lead => &[
            F::Name,
            F::Stage,
            F::Pipeline,
            F::Responsible,
            F::PaymentSum,
            F::IsDeal,
            F::Source,
            F::Campaign,
            F::Keyword,
            F::CreatedAt,
            F::UpdatedAt,
            F::Contact,
            F::Id,
        ],
        RecordKind::LeadContact => &[
            F::Name,
            F::Phone,
            F::Email,
            F::Profession,
            F::Site,
            F::CreatedAt,
            F::UpdatedAt,
            F::Pipeline,
            F::Id,
        ],
        RecordKind::Call => &[
            F::Phone,
            F::Result,
            F::Duration,
            F::Direction,
            F::Disposition,
            F::Comment,
            F::Operator,
            F::Recording,
            F::At,
            F::Responsible,
            F::Contact,
            F::Parent,
            F::Id,
        ],
        RecordKind::Task => &[
            F::Text,
            F::Kind,
            F::Deadline,
            F::IsDone,
            F::Result,
            F::Comment,
            F::Responsible,
            F::CreatedAt,
            F::UpdatedAt,
            F::CreatedBy,
            F::UpdatedBy,
            F::Parent,
            F::Id,
        ],
        RecordKind::Note => &[
            F::Text,
            F::Kind,
            F::Phone,
            F::Duration,
            F::Recording,
            F::At,
            F::CreatedAt,
            F::UpdatedAt,
            F::CreatedBy,
            F::UpdatedBy,
            F::Responsible,
            F::Parent,
            F::Id,
        ],
        RecordKind::Unsorted => &[
            F::Name,
            F::Kind,
            F::Source,
            F::Pipeline,
            F::Price,
            F::Phone,
            F::Email,
            F::Text,
            F::Contact,
            F::Company,
            F::Parent,
            F::CreatedAt,
            F::At,
            F::CreatedBy,
            F::Id,
        ],
        RecordKind::Structure => &[F::Kind, F::At],
        RecordKind::Event => &[F::At, F::Source, F::CreatedBy],
    }
}

/// The hub may write this system field of this kind of record. Stage, responsible and tags have actions of
/// their own and are also accepted by «найти или создать».
pub const fn is_writable(kind: RecordKind, field: SystemField) -> bool {
    match kind {
        RecordKind::Deal => {
            matches!(
                field,
                F::Name | F::Price | F::Stage | F::Responsible | F::Tags | F::LossReason
            )
        }
        RecordKind::Contact => matches!(
            field,
            F::Name | F::FirstName | F::LastName | F::Phone | F::Email | F::Responsible | F::Tags
        ),
        RecordKind::Company => {
            matches!(
                field,
                F::Name | F::Phone | F::Email | F::Site | F::Responsible | F::Tags
            )
        }
        RecordKind::Lead => matches!(
            field,
            F::Name | F::Stage | F::Responsible | F::Source | F::Campaign | F::Keyword
        ),
        RecordKind::LeadContact => {
            matches!(field, F::Name | F::Phone | F::Email | F::Profession | F::Site)
        }
        _ => false,
    }
}
