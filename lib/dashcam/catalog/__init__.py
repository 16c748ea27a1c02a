"""The catalogue: videos, positions, plates and sightings. What the WebUI and the API show is read from here."""
