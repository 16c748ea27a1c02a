"""The main server's web process: REST API, WebUI, media, and the dispatch loop. The only one that opens the database."""
