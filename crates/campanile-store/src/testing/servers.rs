//! What stands around PostgreSQL where there are several servers: a pooler, and a standby.
//!
//! Each is a script that ends with this process, since it waits on a pipe that closes then.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use super::{find_binaries, free_port, server};
use crate::Options;

/// A script in the background, told and asked by lines.
struct Keeper {
    child: Child,
    out: BufReader<ChildStdout>,
}

/// What every script begins with: a folder of its own, and the way to be somebody who is not root.
const HEAD: &str = r#"
    set -e
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    unprivileged() {
        [ "$(id -u)" = 0 ] || exec "$@"
        exec setpriv --reuid "$who" --clear-groups -- "$@"
    }
    who=nobody
    if id postgres >/dev/null 2>&1; then who=postgres; fi
    if [ "$(id -u)" = 0 ]; then chown "$who" "$dir"; fi
    cd "$dir"
"#;

impl Keeper {
    /// Starts a script; it says a line when it is ready.
    fn start(script: &str, arguments: &[&Path]) -> Self {
        let mut child = Command::new("bash")
            .args(["-c", &format!("{HEAD}{script}"), "keeper"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash can be started");
        let out = BufReader::new(child.stdout.take().expect("the output is piped"));
        let mut keeper = Self { child, out };
        keeper.hear("ready");
        keeper
    }

    fn tell(&mut self, word: &str) {
        let input = self.child.stdin.as_mut().expect("the input is piped");
        writeln!(input, "{word}").expect("the script reads");
    }

    fn hear(&mut self, word: &str) {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("the output can be read");
        assert_eq!(line.trim(), word, "what was started does not run");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It cleans up, and ends.
        let _ = self.child.wait();
    }
}

/// The options of a database of the test server by way of a `PgBouncer`, which gives a connection for one transaction,
/// and has fewer of them than are asked for. What others announce is looked for. `url` is a direct one.
///
/// # Panics
/// When there is no `PgBouncer`, or it does not start.
#[must_use]
pub fn pooled(url: &str) -> Options {
    static POOLER: OnceLock<(u16, std::sync::Mutex<Keeper>)> = OnceLock::new();
    let (port, _) = POOLER.get_or_init(|| {
        let (root, port) = (find_pooler(), free_port());
        let own = server().expect("there is a server where there is a URL");
        let behind = own.rsplit_once(':').map_or("5432", |(_, rest)| rest);
        let behind: String = behind.chars().take_while(char::is_ascii_digit).collect();
        let script = r#"
            cat >pooler.ini <<END
[databases]
* = host=127.0.0.1 port=$3 user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $2
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 2000
END
            chmod 644 pooler.ini
            program=/usr/sbin/pgbouncer
            # Unpacked somewhere, it may lie where only its owner comes by.
            if [ "$1" != / ]; then
                cp "$1$program" "$1"/usr/lib/*-linux-gnu*/*.so* .
                program=./pgbouncer
                export LD_LIBRARY_PATH="$dir"
            fi
            (unprivileged "$program" -q pooler.ini >log 2>&1) &
            pooler=$!
            for _ in $(seq 1 200); do
                (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null && break
                kill -0 $pooler || { cat log >&2; exit 1; }
                sleep 0.05
            done
            echo ready
            cat >/dev/null || true
            kill -TERM $pooler
            wait $pooler 2>/dev/null || true
        "#;
        let (at, behind) = (PathBuf::from(port.to_string()), PathBuf::from(behind));
        (port, Keeper::start(script, &[&root, &at, &behind]).into())
    });
    let (base, name) = url.rsplit_once('/').expect("a URL names a database");
    let scheme = base.split_once("://").map_or("postgres", |(scheme, _)| scheme);
    Options {
        pooled: true,
        ..super::direct(&format!("{scheme}://postgres@127.0.0.1:{port}/{name}"))
    }
}

/// The folder in which `PgBouncer` is, as the root of a system.
#[expect(clippy::disallowed_methods, reason = "where programs are is not a setting of ours")]
fn find_pooler() -> PathBuf {
    let named = std::env::var_os("CAMPANILE_TEST_PGBOUNCER").map(PathBuf::from);
    let places = named.into_iter().chain(["/".into()]);
    let mut found = places.filter(|root| root.join("usr/sbin/pgbouncer").exists());
    found
        .next()
        .expect("PgBouncer is found, which this test needs; scripts/test says how to get it")
}

/// Two servers of which one follows the other.
pub struct Pair {
    /// Names both.
    pub url: String,
    keeper: Keeper,
}

impl Pair {
    /// Starts them, and waits until the second follows the first.
    ///
    /// # Panics
    /// When there are no binaries, or they do not start.
    #[must_use]
    pub fn start() -> Self {
        let binaries = find_binaries().expect("PostgreSQL's initdb is found; scripts/test says how to get it");
        let (first, second) = (free_port(), free_port());
        let script = r#"
            run() { (unprivileged "$@") >>log 2>&1 </dev/null; }
            options() { echo "-p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c fsync=off"; }
            begin() { run "$1/pg_ctl" -D "$2" -l "$dir/$2.log" -o "$(options "$3")" -w start; }
            trap 'for one in one two; do run "$1/pg_ctl" -D $one -m immediate stop || true; done; rm -rf "$dir"' EXIT
            run "$1/initdb" -D one -U postgres -A trust -N -E UTF8 --locale=C
            begin "$1" one "$2"
            run "$1/pg_basebackup" -h 127.0.0.1 -p "$2" -U postgres -D two -R -X stream -c fast
            begin "$1" two "$3"
            echo ready
            while read -r word; do
                if [ "$word" = stop ]; then run "$1/pg_ctl" -D one -m fast stop; fi
                if [ "$word" = promote ]; then run "$1/pg_ctl" -D two -w promote; fi
                echo done
            done
        "#;
        let (one, two) = (PathBuf::from(first.to_string()), PathBuf::from(second.to_string()));
        let keeper = Keeper::start(script, &[&binaries, &one, &two]);
        let url = format!("postgres://postgres@127.0.0.1:{first},127.0.0.1:{second}/postgres?sslmode=disable");
        Self { url, keeper }
    }

    /// Stops the first, which hands over what it has, as for work on its machine.
    pub fn stop_the_first(&mut self) {
        self.keeper.tell("stop");
        self.keeper.hear("done");
    }

    /// Makes the second one take writes.
    pub fn promote_the_second(&mut self) {
        self.keeper.tell("promote");
        self.keeper.hear("done");
    }
}
