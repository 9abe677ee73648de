"""A demonstration that needs no key: a proxy, a stand-in for the provider, and a long document."""
