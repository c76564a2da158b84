//! Customers, APIs, applications and groups by name: those of the demonstration, and the words that make up others.

/// A customer of the demonstration: number, name, parent (0: none) and mail domain without `.example`.
pub(super) type Company = (u64, &'static str, u64, &'static str);

/// The customers of the demonstration, each below those above it. 17 is the one that `carol` administers.
pub(super) const COMPANIES: [Company; 25] = [
    (1, "Meridian Group", 0, "meridian-group"),
    (2, "Aurelia Bank", 0, "aurelia-bank"),
    (3, "北浜物流 Kitahama Logistics", 0, "kitahama"),
    (4, "Stadtwerke Lindenau", 0, "lindenau"),
    (5, "Meridian Energy", 1, "meridian-energy"),
    (6, "Meridian Mobility", 1, "meridian-mobility"),
    (7, "Meridian Insurance", 1, "meridian-insurance"),
    (8, "Aurelia Retail Banking", 2, "aurelia-retail"),
    (9, "Aurelia Payments", 2, "aurelia-payments"),
    (10, "Kitahama Ports", 3, "kitahama-ports"),
    (11, "Kitahama Cold Chain", 3, "kitahama-cold"),
    (12, "Universität Hohenfels", 0, "uni-hohenfels"),
    (13, "Meridian Rail Cargo", 6, "meridian-rail"),
    (14, "CityWheel Bike Sharing", 6, "citywheel"),
    (15, "Sol y Viento Ibérica", 5, "solyviento"),
    (16, "Tamarind Foods", 0, "tamarind-foods"),
    (17, "Norrsken Energi", 5, "norrsken"),
    (18, "Norrsken Vind", 17, "norrsken-vind"),
    (19, "Norrsken Laddning", 17, "norrsken-laddning"),
    (20, "Aurelia Payments Polska", 9, "aurelia-polska"),
    (21, "PagoRápido Brasil", 9, "pagorapido"),
    (22, "Osaka Bay Terminal", 10, "osaka-bay"),
    (23, "Tamarind Retail Kenya", 16, "tamarind-kenya"),
    (24, "Tamarind Kitchens", 16, "tamarind-kitchens"),
    (25, "Lindenau Wärme", 4, "lindenau-waerme"),
];

/// The customer that `carol` administers, and the one below it to which `una` belongs.
pub(super) const CAROL_AT: u64 = 17;
pub(super) const UNA_AT: u64 = 18;

/// The APIs of the demonstration: id and name. The first two are `paul`'s; one retires, and the other takes
/// its place.
pub(super) const APIS: [(&str, &str); 12] = [
    ("payments-v1", "Payments v1"),
    ("payments-v2", "Payments v2"),
    ("orders", "Orders"),
    ("shipping", "Shipping rates"),
    ("weather", "Weather"),
    ("identity", "Identity check"),
    ("invoices", "Invoices"),
    ("geocoding", "Geocoding"),
    ("fleet", "Fleet telemetry"),
    ("exchange-rates", "Exchange rates"),
    ("documents", "Document archive"),
    ("pets", "Pets"),
];

/// The groups of the demonstration.
pub(super) const GROUPS: [&str; 8] = [
    "Integration team",
    "Mobile developers",
    "Partner support",
    "Data engineering",
    "Security champions",
    "Billing operations",
    "Field technicians",
    "Beta testers",
];

/// What applications are for; with the name of a customer before it, the name of an application.
pub(super) const PURPOSES: [&str; 8] = [
    "web shop",
    "mobile app",
    "back office",
    "reporting",
    "partner portal",
    "warehouse scanner",
    "chat assistant",
    "data lake loader",
];

/// First words of the names of made-up customers.
pub(super) const SITES: [&str; 16] = [
    "Alderney",
    "Bréhat",
    "Cascadia",
    "Dunmore",
    "Elbe",
    "Fjordland",
    "Gävle",
    "Halcyon",
    "Innisfree",
    "Juniper",
    "Kestrel",
    "Łódka",
    "Marlowe",
    "Nordkapp",
    "Ōtaki",
    "Peregrine",
];

/// Second words of the names of made-up customers.
pub(super) const TRADES: [&str; 12] = [
    "Logistics",
    "Energy",
    "Insurance",
    "Foods",
    "Robotics",
    "Textiles",
    "Health",
    "Airways",
    "Mining",
    "Media",
    "Timber",
    "Optics",
];
