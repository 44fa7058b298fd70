"""Pages for the people of home-care institutions, on a phone or tablet they carry along."""
