"""Why an import does not happen. Each sentence names the file, and the line where there is one."""

from tenants.errors import DomainError


class ImportRefused(DomainError):
    code = "import_refused"
    status = 422
    message = "This course cannot be imported."

    def __init__(self, problem: str | None = None, *, file: str = "", line: int | None = None) -> None:
        place = f"{file}, line {line}" if file and line else file
        super().__init__(f"{place}: {problem}" if place and problem else problem)
        self.file = file
        self.line = line


class BrokenSource(ImportRefused):
    """A file that is not well formed, or says something that its format does not know."""

    code = "import_broken"


class MissingFile(ImportRefused):
    code = "import_missing_file"


class UnsafeSource(ImportRefused):
    """Paths that climb out, links, entities: things that no honest export holds."""

    code = "import_unsafe"


class TooLarge(ImportRefused):
    code = "import_too_large"
    status = 413
