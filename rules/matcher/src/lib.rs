//! Pattern matching for the engine on a server.
