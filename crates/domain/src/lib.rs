//! Rules, events, evaluation, ids and states: the language of the product.
