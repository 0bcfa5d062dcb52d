/** This package's version; a test holds it to package.json. Reading the file at run time would break bundles. */
export const VERSION = '0.1.0'
