//! Lines of CSV (RFC 4180) that a spreadsheet may open.

use std::fmt::Write as _;

/// Adds a line of these cells.
pub(crate) fn line(out: &mut String, cells: &[String]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_cell(out, cell);
    }
    out.push_str("\r\n");
}

/// One cell: in quotes where it must be, and with an apostrophe before what a spreadsheet would take for a formula.
fn push_cell(out: &mut String, cell: &str) {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let defused = if is_formula { "'" } else { "" };
    if cell.contains([',', '"', '\r', '\n']) {
        write!(out, "\"{defused}{}\"", cell.replace('"', "\"\"")).expect("a string takes everything");
    } else {
        out.push_str(defused);
        out.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = String::new();
        push_cell(&mut out, text);
        out
    }

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        assert_eq!(cell("Ann"), "Ann");
        assert_eq!(cell("Ann, Bob"), "\"Ann, Bob\"");
        assert_eq!(cell("\"Ann\"\r\n"), "\"\"\"Ann\"\"\r\n\"");
    }

    #[test]
    fn nothing_is_a_formula() {
        for (text, defused) in [
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\""),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
        ] {
            assert_eq!(cell(text), defused);
        }
    }
}
