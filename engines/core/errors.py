"""The one error that a person is meant to read."""


class UserError(Exception):
    """Something a person can put right. Its message is one sentence that says what to do.

    Pages show the sentence, the command line prints it and exits with 2; neither shows a traceback.
    """
