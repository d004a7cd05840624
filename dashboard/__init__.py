"""The dashboard: pages, panels and figures. It reads runs and traces, and imports torch only when a model
must answer."""
