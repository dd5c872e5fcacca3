//! A typed client of the lptracker API and its Connector.
