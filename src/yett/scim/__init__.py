"""SCIM 2.0 without I/O (RFC 7643, 7644): resources, filters, patches, lists; what an identity provider says, and what it is answered."""
