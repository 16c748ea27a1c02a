#!/bin/sh
# Fetches and unpacks the typefaces that drawn plates use into the folder $1: Debian and npm packages, nothing is installed.
# Licences: OFL 1.1 (Barlow, Saira, Oswald, Liberation, Bebas Neue, National Park, B612, Cantarell, Lato, Play, Routed Gothic,
# Allerta, OSP-DIN, Share Tech Mono, Overpass, Antonio, Teko and the other @fontsource ones), Apache-2.0 (Roboto, Open Sans,
# Cousine), Bitstream Vera (DejaVu, Hack), AGPL with font exception (URW), GPL with font exception (FreeFont), as each
# package's copyright file says. Roadgeek is public domain.
set -e
mkdir -p "$1"
cd "$1"
apt-get download -qq fonts-opendin fonts-roadgeek fonts-national-park fonts-b612 fonts-liberation fonts-dejavu-core \
  fonts-dejavu-extra fonts-urw-base35 fonts-bebas-neue fonts-roboto-unhinted fonts-ocr-b fonts-allerta fonts-routed-gothic \
  fonts-play fonts-lato fonts-noto-mono fonts-hack fonts-open-sans fonts-cantarell fonts-freefont-ttf
for package in *.deb; do dpkg -x "$package" .; done
for family in barlow-condensed barlow-semi-condensed saira-condensed saira-semi-condensed oswald share-tech-mono overpass antonio \
  teko rajdhani khand fjalla-one pathway-gothic-one archivo-narrow league-gothic quantico big-shoulders-display cousine sarpanch \
  chakra-petch mitr; do
  npm pack --silent "@fontsource/$family"
  mkdir -p "npm/$family"
  tar xzf fontsource-"$family"-*.tgz -C "npm/$family"
done
rm -f ./*.deb ./*.tgz
