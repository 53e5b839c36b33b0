//! TLS as a URL asks for it.
