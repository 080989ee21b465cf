"""What the product is compared with: a textbook CRUD service, and the least that any service has to do."""
