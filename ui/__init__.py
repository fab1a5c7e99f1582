"""The Streamlit app. Draws; computes nothing."""
