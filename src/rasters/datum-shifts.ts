/**
 * Shifts to WGS 84 (Helmert, position vector convention, as PROJ's `+towgs84` takes them) of datums in common use for
 * which geotiff-geokeys-to-proj4 has none, or one with the rotations' signs of the other convention. Without them such
 * rasters lie 30 to 300 m off. Checked against GDAL in the tests.
 */
const shifts: { codes: number[]; toWgs84: string }[] = [
  // OSGB36, British National Grid
  { codes: [27700, 4277], toWgs84: '446.448,-125.157,542.06,0.15,0.247,0.842,-20.489' },
  // Amersfoort, RD New
  { codes: [28992, 4289], toWgs84: '565.4171,50.3319,465.5524,-0.398957,0.343988,-1.877402,4.0725' },
  // BD72, Belgian Lambert 72
  { codes: [31370, 4313], toWgs84: '-106.8686,52.2978,-103.7239,0.3366,-0.457,1.8422,-1.2747' },
  // CH1903 and CH1903+
  { codes: [21781, 2056, 4149, 4150], toWgs84: '674.374,15.056,405.346' },
  // NZGD49, New Zealand Map Grid
  { codes: [27200, 4272], toWgs84: '59.47,-5.04,187.44,0.47,-0.1,1.024,-4.5993' },
  // Fiji 1986
  { codes: [3460, 4720], toWgs84: '0,0,4.5,0,0,0.554,0.2263' },
  // GGRS87, Greek Grid
  { codes: [2100, 4121], toWgs84: '-199.87,74.79,246.62' },
  // HD72, EOV
  { codes: [23700, 4237], toWgs84: '52.17,-71.82,-14.9' },
  // S-JTSK, Krovak
  { codes: [5514, 4156], toWgs84: '570.8,85.7,462.8,4.998,1.587,5.261,3.56' },
]

/** The shift of an EPSG code's datum, where this table knows better. */
export const datumShift = (epsg: number | undefined) =>
  shifts.find(({ codes }) => epsg !== undefined && codes.includes(epsg))?.toWgs84
