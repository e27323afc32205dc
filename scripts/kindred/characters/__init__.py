"""Who a text or a photo is about."""
