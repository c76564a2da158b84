//! Names of people from many places, with what a login makes of them.
//!
//! An entry is a name; where it is not plain ASCII letters, its spelling in a login follows after `|`.

/// Names that go together.
pub(super) struct Culture {
    /// The language tag of its people.
    pub(super) locale: &'static str,
    /// Given names.
    pub(super) given: &'static [&'static str],
    /// Family names.
    pub(super) family: &'static [&'static str],
    /// The family name is written first.
    pub(super) family_first: bool,
}

const fn west(locale: &'static str, given: &'static [&'static str], family: &'static [&'static str]) -> Culture {
    Culture {
        locale,
        given,
        family,
        family_first: false,
    }
}

const fn east(locale: &'static str, given: &'static [&'static str], family: &'static [&'static str]) -> Culture {
    Culture {
        locale,
        given,
        family,
        family_first: true,
    }
}

/// A name and its spelling in a login, in any case of letters.
pub(super) fn spelling(entry: &'static str) -> (&'static str, &'static str) {
    entry.split_once('|').unwrap_or((entry, entry))
}

/// All of them; the more names one has, the more people.
pub(super) const CULTURES: [Culture; 21] = [
    west(
        "en-GB",
        &[
            "Emma", "Oliver", "Amelia", "George", "Isla", "Harry", "Ava", "Arthur", "Freya", "Callum", "Imogen", "Rhys",
        ],
        &[
            "Whitfield",
            "Hargreaves",
            "O’Connor|oconnor",
            "Ashworth",
            "MacLeod",
            "Pembroke",
            "Fairbairn",
            "Lockwood",
            "Bevan",
            "Thistlewood",
        ],
    ),
    west(
        "en-US",
        &[
            "Grace", "Mason", "Harper", "Logan", "Zoe", "Ethan", "Naomi", "Caleb", "Ruth", "Dylan",
        ],
        &[
            "Calloway",
            "Brennan",
            "Whitaker",
            "Delgado",
            "Kowalczyk",
            "Sorensen",
            "Beaumont",
            "Hollis",
            "Garrison",
            "Fitzgerald",
        ],
    ),
    west(
        "de",
        &[
            "Jürgen|juergen",
            "Anke",
            "Sören|soeren",
            "Katharina",
            "Matthias",
            "Frauke",
            "Lukas",
            "Ilse",
            "Björn|bjoern",
            "Heike",
        ],
        &[
            "Großmann|grossmann",
            "Lindenthal",
            "Öhler|oehler",
            "Brandstätter|brandstaetter",
            "Vogelsang",
            "Kühn|kuehn",
            "Achterberg",
            "Steinhoff",
            "Reimers",
            "Zöllner|zoellner",
        ],
    ),
    west(
        "fr",
        &[
            "Zoé|zoe",
            "Étienne|etienne",
            "Maëlle|maelle",
            "Baptiste",
            "Hélène|helene",
            "Rémi|remi",
            "Inès|ines",
            "Guillaume",
        ],
        &[
            "Lefèvre|lefevre",
            "Dubreuil",
            "Gauthier",
            "Moreau",
            "d’Aubigny|daubigny",
            "Châtelain|chatelain",
            "Rousselot",
            "Garçon|garcon",
        ],
    ),
    west(
        "es",
        &[
            "Íñigo|inigo",
            "Lucía|lucia",
            "Álvaro|alvaro",
            "Marisol",
            "Joaquín|joaquin",
            "Begoña|begona",
            "Rocío|rocio",
            "Andrés|andres",
        ],
        &[
            "Núñez|nunez",
            "Etxeberria",
            "Villanueva",
            "Ibáñez|ibanez",
            "Caballero",
            "Zubiri",
            "Peñalver|penalver",
            "Quintero",
        ],
    ),
    west(
        "pt-BR",
        &[
            "João|joao",
            "Conceição|conceicao",
            "Thiago",
            "Larissa",
            "Antônio|antonio",
            "Beatriz",
            "Vinícius|vinicius",
            "Luana",
        ],
        &[
            "Assunção|assuncao",
            "Figueiredo",
            "Guimarães|guimaraes",
            "Queiroz",
            "Sampaio",
            "Brandão|brandao",
            "Albuquerque",
            "Tavares",
        ],
    ),
    west(
        "it",
        &["Chiara", "Lorenzo", "Ginevra", "Niccolò|niccolo", "Fiammetta", "Matteo"],
        &[
            "Bianchi",
            "D’Angelo|dangelo",
            "Montefiore",
            "Quaranta",
            "Santangelo",
            "Zanetti",
        ],
    ),
    west(
        "nl",
        &["Sanne", "Joost", "Maaike", "Thijs", "Femke", "Daniël|daniel"],
        &[
            "van Dijk|vandijk",
            "de Boer|deboer",
            "Hoekstra",
            "Verhoeven",
            "Kuipers",
            "Timmermans",
        ],
    ),
    west(
        "pl",
        &[
            "Łukasz|lukasz",
            "Agnieszka",
            "Paweł|pawel",
            "Małgorzata|malgorzata",
            "Michał|michal",
            "Żaneta|zaneta",
        ],
        &[
            "Wójcik|wojcik",
            "Dąbrowski|dabrowski",
            "Szymańska|szymanska",
            "Zieliński|zielinski",
            "Krawczyk",
            "Gołębiowska|golebiowska",
        ],
    ),
    west(
        "sv",
        &["Åsa|asa", "Göran|goran", "Linnéa|linnea", "Måns|mans", "Saga", "Henrik"],
        &[
            "Åkerblom|akerblom",
            "Nyström|nystrom",
            "Lindqvist",
            "Sjöberg|sjoberg",
            "Ekdahl",
            "Hjalmarsson",
        ],
    ),
    west(
        "cs",
        &[
            "Jiří|jiri",
            "Markéta|marketa",
            "Ondřej|ondrej",
            "Šárka|sarka",
            "Tomáš|tomas",
        ],
        &[
            "Dvořák|dvorak",
            "Němcová|nemcova",
            "Růžička|ruzicka",
            "Havel",
            "Černý|cerny",
        ],
    ),
    west(
        "tr",
        &[
            "Çağla|cagla",
            "Emre",
            "Işıl|isil",
            "Özgür|ozgur",
            "Şebnem|sebnem",
            "Kerem",
        ],
        &[
            "Yıldırım|yildirim",
            "Öztürk|ozturk",
            "Kılıç|kilic",
            "Demirci",
            "Güneş|gunes",
        ],
    ),
    west(
        "el",
        &["Ελένη|eleni", "Γιώργος|giorgos", "Δήμητρα|dimitra", "Νίκος|nikos"],
        &[
            "Παπαδόπουλος|papadopoulos",
            "Νικολαΐδου|nikolaidou",
            "Βασιλείου|vasileiou",
        ],
    ),
    west(
        "uk",
        &[
            "Олена|olena",
            "Тарас|taras",
            "Соломія|solomiia",
            "Андрій|andrii",
            "Оксана|oksana",
        ],
        &[
            "Шевчук|shevchuk",
            "Коваленко|kovalenko",
            "Лисенко|lysenko",
            "Гнатюк|hnatiuk",
        ],
    ),
    west(
        "en-NG",
        &[
            "Chiamaka",
            "Tunde",
            "Ngozi",
            "Ọlámidé|olamide",
            "Adaeze",
            "Emeka",
            "Folasadé|folasade",
            "Ibrahim",
        ],
        &[
            "Okonkwo",
            "Adéyẹmí|adeyemi",
            "Okafor",
            "Balogun",
            "Nwachukwu",
            "Onyekachi",
            "Danjuma",
            "Eze",
        ],
    ),
    west(
        "en-IN",
        &[
            "Ananya", "Rohan", "Priya", "Arjun", "Kavya", "Vikram", "Lakshmi", "Imran",
        ],
        &[
            "Krishnamurthy",
            "Banerjee",
            "Iyer",
            "Deshpande",
            "Qureshi",
            "Venkataraman",
            "Chatterjee",
            "Malhotra",
        ],
    ),
    west(
        "sw",
        &["Wanjiru", "Baraka", "Zawadi", "Otieno", "Amani"],
        &["Kamau", "Mwangi", "Odhiambo", "Njoroge", "Achieng"],
    ),
    west(
        "ar",
        &["ليلى|layla", "يوسف|yusuf", "مريم|maryam", "عمر|omar"],
        &["الخطيب|alkhatib", "حداد|haddad", "المنصور|almansur"],
    ),
    east(
        "ja",
        &[
            "美咲|misaki",
            "健太|kenta",
            "さくら|sakura",
            "大輔|daisuke",
            "陽子|yoko",
            "翔|sho",
        ],
        &[
            "田中|tanaka",
            "渡辺|watanabe",
            "小林|kobayashi",
            "中村|nakamura",
            "髙橋|takahashi",
        ],
    ),
    east(
        "zh-CN",
        &["伟|wei", "秀英|xiuying", "思远|siyuan", "静|jing", "晓明|xiaoming"],
        &["王|wang", "李|li", "欧阳|ouyang", "陈|chen", "赵|zhao"],
    ),
    east(
        "vi",
        &["Thị Hương|huong", "Văn Đức|duc", "Ngọc Ánh|anh", "Quốc Việt|viet"],
        &["Nguyễn|nguyen", "Trần|tran", "Phạm|pham", "Đặng|dang"],
    ),
];
