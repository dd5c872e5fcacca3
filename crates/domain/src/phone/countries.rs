//! Countries by calling code, with the lengths their numbers have behind it.

/// A country, or a group that shares a calling code and is not told apart.
#[derive(PartialEq, Eq, Debug)]
pub struct Country {
    /// Two letters of ISO 3166.
    pub iso: &'static str,
    /// Russian name.
    pub name: &'static str,
    /// Calling code.
    pub code: &'static str,
    /// Fewest digits behind the code.
    pub min: usize,
    /// Most digits behind the code.
    pub max: usize,
    /// Numbers are commonly written without `+` in our customers' files and then recognised by code and
    /// exact length.
    pub near: bool,
}

macro_rules! countries {
    ($($iso:literal $name:literal $code:literal $min:literal $max:literal $near:literal;)*) => {
        /// Every known country. For `+7` see [`super::Phone::country`].
        pub const COUNTRIES: &[Country] = &[
            $(Country { iso: $iso, name: $name, code: $code, min: $min, max: $max, near: $near },)*
        ];
    };
}

countries! {
    "RU" "Россия" "7" 10 10 true;
    "KZ" "Казахстан" "7" 10 10 true;
    "BY" "Беларусь" "375" 9 9 true;
    "UA" "Украина" "380" 9 9 true;
    "UZ" "Узбекистан" "998" 9 9 true;
    "KG" "Киргизия" "996" 9 9 true;
    "AM" "Армения" "374" 8 8 true;
    "GE" "Грузия" "995" 9 9 true;
    "AZ" "Азербайджан" "994" 9 9 true;
    "TJ" "Таджикистан" "992" 9 9 true;
    "TM" "Туркмения" "993" 8 8 true;
    "MD" "Молдавия" "373" 8 8 true;
    "US" "США и Канада" "1" 10 10 false;
    "EG" "Египет" "20" 8 10 false;
    "ZA" "ЮАР" "27" 9 9 false;
    "GR" "Греция" "30" 10 10 false;
    "NL" "Нидерланды" "31" 9 9 false;
    "BE" "Бельгия" "32" 8 9 false;
    "FR" "Франция" "33" 9 9 false;
    "ES" "Испания" "34" 9 9 false;
    "HU" "Венгрия" "36" 8 9 false;
    "IT" "Италия" "39" 6 11 false;
    "RO" "Румыния" "40" 9 9 false;
    "CH" "Швейцария" "41" 9 9 false;
    "AT" "Австрия" "43" 7 12 false;
    "GB" "Великобритания" "44" 9 10 false;
    "DK" "Дания" "45" 8 8 false;
    "SE" "Швеция" "46" 7 9 false;
    "NO" "Норвегия" "47" 8 8 false;
    "PL" "Польша" "48" 9 9 false;
    "DE" "Германия" "49" 6 11 false;
    "PE" "Перу" "51" 8 9 false;
    "MX" "Мексика" "52" 10 10 false;
    "CU" "Куба" "53" 6 8 false;
    "AR" "Аргентина" "54" 10 11 false;
    "BR" "Бразилия" "55" 10 11 false;
    "CL" "Чили" "56" 9 9 false;
    "CO" "Колумбия" "57" 8 10 false;
    "VE" "Венесуэла" "58" 10 10 false;
    "MY" "Малайзия" "60" 7 10 false;
    "AU" "Австралия" "61" 9 9 false;
    "ID" "Индонезия" "62" 8 12 false;
    "PH" "Филиппины" "63" 8 10 false;
    "NZ" "Новая Зеландия" "64" 8 10 false;
    "SG" "Сингапур" "65" 8 8 false;
    "TH" "Таиланд" "66" 8 9 false;
    "JP" "Япония" "81" 9 10 false;
    "KR" "Южная Корея" "82" 8 10 false;
    "VN" "Вьетнам" "84" 9 10 false;
    "CN" "Китай" "86" 10 11 false;
    "TR" "Турция" "90" 10 10 false;
    "IN" "Индия" "91" 10 10 false;
    "PK" "Пакистан" "92" 9 10 false;
    "AF" "Афганистан" "93" 9 9 false;
    "LK" "Шри-Ланка" "94" 9 9 false;
    "MM" "Мьянма" "95" 7 10 false;
    "IR" "Иран" "98" 10 10 false;
    "MA" "Марокко" "212" 9 9 false;
    "DZ" "Алжир" "213" 8 9 false;
    "TN" "Тунис" "216" 8 8 false;
    "LY" "Ливия" "218" 8 9 false;
    "NG" "Нигерия" "234" 8 10 false;
    "KE" "Кения" "254" 9 9 false;
    "PT" "Португалия" "351" 9 9 false;
    "LU" "Люксембург" "352" 6 11 false;
    "IE" "Ирландия" "353" 7 9 false;
    "IS" "Исландия" "354" 7 9 false;
    "AL" "Албания" "355" 8 9 false;
    "MT" "Мальта" "356" 8 8 false;
    "CY" "Кипр" "357" 8 8 false;
    "FI" "Финляндия" "358" 6 11 false;
    "BG" "Болгария" "359" 8 9 false;
    "LT" "Литва" "370" 8 8 false;
    "LV" "Латвия" "371" 8 8 false;
    "EE" "Эстония" "372" 7 8 false;
    "AD" "Андорра" "376" 6 9 false;
    "MC" "Монако" "377" 8 9 false;
    "RS" "Сербия" "381" 8 9 false;
    "ME" "Черногория" "382" 8 8 false;
    "XK" "Косово" "383" 8 9 false;
    "HR" "Хорватия" "385" 8 9 false;
    "SI" "Словения" "386" 8 8 false;
    "BA" "Босния и Герцеговина" "387" 8 9 false;
    "MK" "Северная Македония" "389" 8 8 false;
    "CZ" "Чехия" "420" 9 9 false;
    "SK" "Словакия" "421" 9 9 false;
    "LI" "Лихтенштейн" "423" 7 9 false;
    "HK" "Гонконг" "852" 8 8 false;
    "MO" "Макао" "853" 8 8 false;
    "KH" "Камбоджа" "855" 8 9 false;
    "LA" "Лаос" "856" 8 10 false;
    "BD" "Бангладеш" "880" 8 10 false;
    "TW" "Тайвань" "886" 8 9 false;
    "MV" "Мальдивы" "960" 7 7 false;
    "LB" "Ливан" "961" 7 8 false;
    "JO" "Иордания" "962" 8 9 false;
    "SY" "Сирия" "963" 8 9 false;
    "IQ" "Ирак" "964" 8 10 false;
    "KW" "Кувейт" "965" 7 8 false;
    "SA" "Саудовская Аравия" "966" 8 9 false;
    "OM" "Оман" "968" 8 8 false;
    "PS" "Палестина" "970" 8 9 false;
    "AE" "ОАЭ" "971" 8 9 false;
    "IL" "Израиль" "972" 8 9 false;
    "BH" "Бахрейн" "973" 8 8 false;
    "QA" "Катар" "974" 7 8 false;
    "MN" "Монголия" "976" 8 8 false;
    "NP" "Непал" "977" 8 10 false;
}
