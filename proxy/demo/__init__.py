"""`tersely demo`: one long request through the real proxy to a stand-in upstream."""
