/** Tests and what only tests import: conformance suites, fixtures, and what lies in a folder `testing`. None of it is built or published. */
export const isTestSource = (file: string): boolean =>
  /\.(test|conformance|fixture)\.[cm]?[jt]s$/.test(file) || file.split(/[\\/]/).includes('testing');
