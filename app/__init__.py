"""The main server's web process: REST API, WebUI, media and the dispatch loop; alone in opening the database."""
