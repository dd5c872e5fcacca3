//! Fixed ids, tokens and secrets of the seeded account, for tests and for the demo of the server.

/// Account id.
pub const DEMO_AMOCRM_ACCOUNT: i64 = 30_000_001;
/// Subdomain: the account answers to `demo.…` hosts and to the path prefix `/demo`.
pub const DEMO_AMOCRM_SUBDOMAIN: &str = "demo";

/// Long-lived token of the administrator, valid until 2099.
pub const DEMO_AMOCRM_TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImp0aSI6IjVhN2QwYjBjNWE3ZDBiMGM1YTdkMGIwYzVhN2QwYjBjIn0.eyJhdWQiOiIwMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJqdGkiOiI1YTdkMGIwYzVhN2QwYjBjNWE3ZDBiMGM1YTdkMGIwYyIsImlhdCI6MTc1OTI1MDAwMCwibmJmIjoxNzU5MjUwMDAwLCJleHAiOjQwNzA5MDg4MDAsInN1YiI6IjExMDAwMDAxIiwiZ3JhbnRfdHlwZSI6IiIsImFjY291bnRfaWQiOjMwMDAwMDAxLCJiYXNlX2RvbWFpbiI6ImFtb2NybS5ydSIsInZlcnNpb24iOjIsInNjb3BlcyI6WyJwdXNoX25vdGlmaWNhdGlvbnMiLCJmaWxlcyIsImNybSIsImZpbGVzX2RlbGV0ZSIsIm5vdGlmaWNhdGlvbnMiXSwiYXBpX2RvbWFpbiI6ImFwaS1iLmFtb2NybS5ydSJ9.c2FuZGJveC1sb25nLWxpdmVkLXRva2VuLXNpZ25hdHVyZQ";
/// Long-lived token of a user without administrator rights.
pub const DEMO_AMOCRM_MEMBER_TOKEN: &str = "sandbox.member.token";

/// OAuth integration: client id.
pub const DEMO_AMOCRM_CLIENT_ID: &str = "00000000-0000-4000-8000-000000000001";
/// OAuth integration: client secret.
pub const DEMO_AMOCRM_CLIENT_SECRET: &str = "SANDBOX_SECRET";
/// OAuth integration: registered redirect address (change it through the control API).
pub const DEMO_AMOCRM_REDIRECT_URI: &str = "https://app.example.com/oauth/callback";

/// «Анна Смирнова», administrator.
pub const USER_ANNA: i64 = 11_000_001;
/// «Иван Петров», manager.
pub const USER_IVAN: i64 = 11_000_002;
/// «Ольга Кузнецова», deactivated.
pub const USER_OLGA: i64 = 11_000_003;

/// Main pipeline «Продажи».
pub const PIPELINE_SALES: i64 = 7_000_001;
/// Stage «Неразобранное» of «Продажи».
pub const STATUS_UNSORTED: i64 = 58_000_000;
/// Stage «Новая заявка» of «Продажи».
pub const STATUS_NEW: i64 = 58_000_001;
/// Stage «Квалификация» of «Продажи».
pub const STATUS_QUALIFICATION: i64 = 58_000_002;
/// Stage «Передано в обзвон» of «Продажи».
pub const STATUS_TO_CALL: i64 = 58_000_003;
/// Stage «Подтверждён» of «Продажи».
pub const STATUS_CONFIRMED: i64 = 58_000_004;
/// Stage «Недозвон» of «Продажи».
pub const STATUS_NO_ANSWER: i64 = 58_000_005;
/// Stage «Успешно реализовано» of every pipeline.
pub const STATUS_WON: i64 = 142;
/// Stage «Закрыто и не реализовано» of every pipeline.
pub const STATUS_LOST: i64 = 143;
/// Second pipeline «Повторные продажи».
pub const PIPELINE_REPEAT: i64 = 7_000_002;
/// Stage «Неразобранное» of «Повторные продажи».
pub const STATUS_REPEAT_UNSORTED: i64 = 58_000_100;
/// Stage «Новое обращение» of «Повторные продажи».
pub const STATUS_REPEAT_NEW: i64 = 58_000_101;
/// Stage «Предложение» of «Повторные продажи».
pub const STATUS_REPEAT_OFFER: i64 = 58_000_102;

/// Contact field «Телефон» (code PHONE).
pub const FIELD_PHONE: i64 = 735_649;
/// Kind WORK of «Телефон»; MOB is two above it.
pub const ENUM_PHONE_WORK: i64 = 718_321;
/// Kind MOB of «Телефон».
pub const ENUM_PHONE_MOB: i64 = 718_325;
/// Contact field «Email» (code EMAIL).
pub const FIELD_EMAIL: i64 = 735_651;
/// Kind WORK of «Email».
pub const ENUM_EMAIL_WORK: i64 = 718_333;
/// Contact field «Должность» (code POSITION).
pub const FIELD_POSITION: i64 = 735_647;
/// Company field «Телефон» (code PHONE).
pub const FIELD_COMPANY_PHONE: i64 = 735_661;

/// Lead field «Источник» (select).
pub const FIELD_SOURCE: i64 = 740_001;
/// Option «Сайт» of «Источник».
pub const ENUM_SOURCE_SITE: i64 = 960_001;
/// Option «Звонок» of «Источник».
pub const ENUM_SOURCE_CALL: i64 = 960_002;
/// Option «Реклама» of «Источник».
pub const ENUM_SOURCE_ADS: i64 = 960_003;
/// Option «Рекомендация» of «Источник».
pub const ENUM_SOURCE_FRIEND: i64 = 960_004;
/// Lead field «Бюджет рекламы» (numeric).
pub const FIELD_BUDGET: i64 = 740_002;
/// Lead field «Город» (text).
pub const FIELD_CITY: i64 = 740_003;
/// Lead field «ID лида LPTracker» (text).
pub const FIELD_LPTRACKER_ID: i64 = 740_004;
/// Lead field «Результат звонка» (select).
pub const FIELD_CALL_RESULT: i64 = 740_005;
/// Option «Заинтересован» of «Результат звонка».
pub const ENUM_RESULT_INTERESTED: i64 = 960_011;
/// Option «Не интересует» of «Результат звонка».
pub const ENUM_RESULT_NOT_INTERESTED: i64 = 960_012;
/// Option «Не отвечает» of «Результат звонка».
pub const ENUM_RESULT_NO_REPLY: i64 = 960_013;
/// Option «Недозвон» of «Результат звонка».
pub const ENUM_RESULT_NO_ANSWER: i64 = 960_014;
/// Option «Отказ» of «Результат звонка».
pub const ENUM_RESULT_REFUSED: i64 = 960_015;
/// Option «Перезвонить позже» of «Результат звонка».
pub const ENUM_RESULT_CALL_BACK: i64 = 960_016;
/// Lead field «Теги продукта» (multiselect).
pub const FIELD_PRODUCT_TAGS: i64 = 740_006;
/// Option «CRM» of «Теги продукта»; «Телефония» and «Чат-бот» follow.
pub const ENUM_PRODUCT_CRM: i64 = 960_021;
/// Option «Телефония» of «Теги продукта».
pub const ENUM_PRODUCT_TELEPHONY: i64 = 960_022;
/// Option «Чат-бот» of «Теги продукта».
pub const ENUM_PRODUCT_BOT: i64 = 960_023;
/// Lead field «Дата звонка» (date_time).
pub const FIELD_CALL_DATE: i64 = 740_007;
/// Lead field «Согласие на обработку данных» (checkbox).
pub const FIELD_CONSENT: i64 = 740_008;

/// Loss reason «Слишком дорого».
pub const LOSS_EXPENSIVE: i64 = 4_203_748;
/// Loss reason «Пропала потребность».
pub const LOSS_NO_NEED: i64 = 4_203_756;
