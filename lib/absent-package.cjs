// Stands in for optional packages that are left out of the bundle on purpose: loading one fails as if it were not installed.
throw new Error('This optional package is not part of the bundle.');
