//! A typed client of the amocrm API and its Connector.
