//! What must be on the machine: each piece is looked for, installed when missing, and named in a
//! sentence when it cannot be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use crate::house::House;
use crate::step::{ask, run, step};

/// The Trunk that the dashboard is built with.
const TRUNK: &str = "0.21.14";

/// The last wrangler for Node 20.
const WRANGLER: &str = "4.86.0";

/// What a build needs: Trunk, and what WebAssembly needs.
pub fn for_build(house: &House) -> anyhow::Result<()> {
    for_wasm(house)?;
    trunk(house)
}

/// What WebAssembly needs: its target, Node with the packages of the lock file (wasm-opt among them), wasm-bindgen.
pub fn for_wasm(house: &House) -> anyhow::Result<()> {
    rust_target("wasm32-unknown-unknown")?;
    node(house)?;
    wasm_bindgen(house)
}

/// What the static binary needs on top: Rust's musl target, and a C compiler for it (ring, mimalloc).
pub fn musl() -> anyhow::Result<()> {
    rust_target(crate::image::TARGET)?;
    if ask("musl-gcc", &["--version"]).is_some() {
        return Ok(());
    }
    apt("musl-tools", "the C compiler musl-gcc of the static binary")
}

/// LLVM's program that merges profiles, of the compiler's own version.
pub fn profdata() -> anyhow::Result<PathBuf> {
    let rustc = |what: &str| ask("rustc", &["--print", what]).with_context(|| format!("rustc does not say its {what}"));
    let place = Path::new(&rustc("sysroot")?).join("lib/rustlib").join(rustc("host-tuple")?).join("bin/llvm-profdata");
    if !place.exists() {
        step("Adding Rust's llvm-tools", || {
            run(Command::new("rustup").args(["component", "add", "llvm-tools"]))
                .context("they come with rustup; with another Rust, install its llvm-tools")
        })?;
    }
    Ok(place)
}

/// The load generator of `bench serve`.
pub fn wrk() -> anyhow::Result<()> {
    match Command::new("wrk").arg("-v").output() {
        Ok(_) => Ok(()),
        Err(_) => apt("wrk", "the load generator of the measurement"),
    }
}

/// What the proof and the tests of pages need on top: a Chromium.
pub fn chromium() -> anyhow::Result<PathBuf> {
    let places = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ];
    find_or_apt("BEIRA_CHROMIUM", &places, "chromium", "the browser that the tests drive")
}

/// PostgreSQL's programs, of which tests/postgres.sh makes a server for each test that asks for one.
pub fn postgres() -> anyhow::Result<()> {
    let named = std::env::var_os("BEIRA_POSTGRES_BIN").map(PathBuf::from);
    let debian =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    if named.into_iter().chain(debian).any(|bin| bin.join("postgres").exists()) {
        return Ok(());
    }
    apt("postgresql", "PostgreSQL, the server's other database")
        .context("BEIRA_POSTGRES_BIN may name its programs' folder")
}

/// Replicas stand behind it in the tests.
pub fn nginx() -> anyhow::Result<()> {
    find_or_apt("BEIRA_NGINX", &["/usr/sbin/nginx"], "nginx-light", "the balancer of the replicas").map(drop)
}

/// The browser with SpiderMonkey.
pub fn firefox() -> anyhow::Result<PathBuf> {
    let places = ["/usr/bin/firefox-esr", "/usr/bin/firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"];
    find_or_apt("BEIRA_FIREFOX", &places, "firefox-esr", "the browser with SpiderMonkey")
}

/// The shell of JavaScriptCore.
pub fn jsc() -> anyhow::Result<PathBuf> {
    let apple = "/System/Library/Frameworks/JavaScriptCore.framework/Versions/Current/Helpers/jsc";
    let places = ["/usr/bin/jsc", apple];
    find_or_apt("BEIRA_JSC", &places, "libjavascriptcoregtk-4.0-bin", "the shell of JavaScriptCore")
}

/// What the Python tests need: a venv with the packages of tests/python/requirements.txt.
pub fn python(house: &House) -> anyhow::Result<PathBuf> {
    let version = ask("python3", &["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).context(
        "Python 3.10 or newer is needed for the tests that drive Beira with MLflow's client; install python3",
    )?;
    let minor: u32 = version.strip_prefix("3.").and_then(|minor| minor.parse().ok()).unwrap_or(0);
    if minor < 10 {
        bail!("Python {version} is too old for the tests, 3.10 or newer is needed");
    }
    let what = "Installing the Python packages of the tests (mlflow, onnxruntime, scikit-learn)";
    venv(house, "venv", &house.path("tests/python/requirements.txt"), what)
}

/// A venv of its own for the peers of a measurement.
pub fn peers(house: &House) -> anyhow::Result<PathBuf> {
    let what = "Installing the peers (fastapi, uvicorn, onnxruntime)";
    venv(house, "venv-peers", &house.path("server/benches/requirements.txt"), what)
}

/// A bucket of S3 for the tests, in a venv of its own.
pub fn moto(house: &House) -> anyhow::Result<PathBuf> {
    venv(
        house,
        "venv-moto",
        &house.path("tests/python/moto-requirements.txt"),
        "Installing a bucket for the tests (moto)",
    )
}

/// What exports models.
pub fn exporters(house: &House) -> anyhow::Result<PathBuf> {
    let what = "Installing the exporters (scikit-learn, XGBoost, LightGBM)";
    venv(house, "venv-exporters", &house.path("tests/python/exporters-requirements.txt"), what)
}

/// A venv with the packages of a file, made again when the file changes. Returns its Python.
fn venv(house: &House, name: &str, requirements: &Path, what: &str) -> anyhow::Result<PathBuf> {
    let venv = house.target.join(name);
    let python = venv.join("bin/python");
    let stamp = venv.join("beira-stamp");
    let wanted = digest(&[requirements])?;
    if fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    step(what, || {
        let make = || Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv).status();
        if !make()?.success() {
            apt("python3-venv", "Python's module venv")?;
            if !make()?.success() {
                bail!("python3 -m venv does not work here; install the package python3-venv");
            }
        }
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(Command::new(&python).args(pip).arg(requirements))?;
        Ok(fs::write(&stamp, &wanted)?)
    })?;
    Ok(python)
}

/// Cloudflare's wrangler, for the test that it accepts what we write. Apart from our own packages: it
/// brings a workerd of its own, 120 MB, which nothing else needs.
pub fn wrangler(house: &House) -> anyhow::Result<PathBuf> {
    let folder = house.target.join("wrangler");
    let program = folder.join("node_modules/.bin/wrangler");
    let stamp = folder.join("beira-stamp");
    if fs::read_to_string(&stamp).is_ok_and(|have| have == WRANGLER) {
        return Ok(program);
    }
    step("Installing wrangler, apart", || {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
        let package = format!("wrangler@{WRANGLER}");
        let npm = ["install", "--no-audit", "--no-fund", "--loglevel=error", &package];
        run(Command::new("npm").args(npm).current_dir(&folder))?;
        Ok(fs::write(&stamp, WRANGLER)?)
    })?;
    Ok(program)
}

/// sha256 over the bytes of files, and of files in folders.
pub fn digest(paths: &[&Path]) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.to_string_lossy().as_bytes());
        hash.update(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// sha256 of one file's bytes.
pub fn sha256(file: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}

fn rust_target(target: &str) -> anyhow::Result<()> {
    let libraries = ask("rustc", &["--print", "target-libdir", "--target", target]);
    if libraries.is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    step(&format!("Adding Rust's {target} target"), || {
        run(Command::new("rustup").args(["target", "add", target]))
            .with_context(|| format!("the target comes with rustup; with another Rust, install its {target} library"))
    })
}

/// Node with the packages of the lock file.
pub fn node(house: &House) -> anyhow::Result<()> {
    let version = ask("node", &["--version"]).context("Node 20 or newer is needed; install nodejs and npm")?;
    let major: u32 = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if major < 20 {
        bail!("Node {version} is too old, 20 or newer is needed");
    }
    let stamp = house.path("node_modules/.beira-stamp");
    let wanted = digest(&[&house.path("package-lock.json")])?;
    if fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    step(
        "Installing the npm packages of the lock file (wasm-opt, esbuild, workerd, playwright, onnxruntime-web)",
        || {
            run(Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(&house.root))?;
            Ok(fs::write(stamp, wanted)?)
        },
    )
}

fn trunk(house: &House) -> anyhow::Result<()> {
    let place = house.tools().join("bin").join(format!("trunk{}", std::env::consts::EXE_SUFFIX));
    let has =
        |program: &str| ask(program, &["--version"]).is_some_and(|version| version.trim() == format!("trunk {TRUNK}"));
    if has(&place.to_string_lossy()) || has("trunk") {
        return Ok(());
    }
    if ask("cargo", &["binstall", "-V"]).is_some() {
        let fetched = step("Fetching Trunk", || {
            let package = format!("trunk@{TRUNK}");
            run(Command::new("cargo").args(["binstall", "--no-confirm", "--root"]).arg(house.tools()).arg(package))
        });
        if fetched.is_ok() {
            return Ok(());
        }
    }
    // Unoptimised: it runs for a second, and is built twice as fast.
    step("Building Trunk (once; about 5 minutes on two cores)", || {
        run(Command::new("cargo")
            .args(["install", "trunk", "--locked", "--debug", "--version", TRUNK, "--root"])
            .arg(house.tools())
            .current_dir(&house.root)
            .env("CARGO_TARGET_DIR", house.tools().join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0"))
    })
}

fn wasm_bindgen(house: &House) -> anyhow::Result<()> {
    step("Building wasm-bindgen of the version in Cargo.lock", || {
        run(Command::new("cargo").args(["build", "--workspace", "--bin", "bindgen"]).current_dir(&house.root))?;
        let bin = house.tools().join("bin");
        fs::create_dir_all(&bin)?;
        fs::copy(house.binary("bindgen"), bin.join(format!("wasm-bindgen{}", std::env::consts::EXE_SUFFIX)))?;
        Ok(())
    })
}

/// A program: where `variable` says, at one of `places`, or there after its Debian package is installed.
fn find_or_apt(variable: &str, places: &[&str], package: &str, what: &str) -> anyhow::Result<PathBuf> {
    let find = || {
        let named = std::env::var_os(variable).map(PathBuf::from);
        named.into_iter().chain(places.iter().map(PathBuf::from)).find(|place| place.exists())
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    apt(package, what).with_context(|| format!("{variable} may name the program instead"))?;
    find().with_context(|| format!("{package} was installed, but its program is not found; set {variable} to its path"))
}

/// Installs a Debian package where this is a Debian and we may, else says what to install.
fn apt(package: &str, what: &str) -> anyhow::Result<()> {
    if ask("apt-get", &["--version"]).is_none() {
        bail!("{what} is missing and there is no apt-get here: install {package} yourself");
    }
    let root = ask("id", &["-u"]).as_deref() == Some("0");
    // CI's runners are not root, and may become it without a word.
    if !root && (std::env::var_os("CI").is_none() || ask("sudo", &["-n", "true"]).is_none()) {
        bail!("{what} is missing: run `sudo apt-get install {package}` and start again");
    }
    let program: &[&str] = if root { &["apt-get"] } else { &["sudo", "-n", "apt-get"] };
    step(&format!("Installing {package} with apt-get ({what})"), || {
        let apt = |arguments: &[&str]| {
            run(Command::new(program[0])
                .args(&program[1..])
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(std::process::Stdio::null()))
        };
        apt(&["update", "-q"])?;
        apt(&["install", "-q", "-y", "--no-install-recommends", package])
    })
}
