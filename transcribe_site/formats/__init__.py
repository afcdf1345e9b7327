"""How the admin writes dates, as our own pages do."""
