//! Sending to a service.
