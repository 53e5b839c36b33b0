//! Has the sources of `dlock-locks` take the primitives of the checker.

fn main() {
    println!("cargo::rustc-cfg=interleaved");
    println!("cargo::rustc-check-cfg=cfg(interleaved)");
    println!("cargo::rustc-check-cfg=cfg(feature, values(\"metrics\"))");
    println!("cargo::rerun-if-changed=build.rs");
}
