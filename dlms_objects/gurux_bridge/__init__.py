"""The one importer of gurux_dlms: names and views of every standard class, XML of APDUs, our classes as Gurux objects.

Nothing of money or security rests on it: values are decoded and scaled here by our own code, and where gurux knows no
name or view the plain value stays. Only the command line, tests and Gurux programs import it; it takes long to load.
"""
